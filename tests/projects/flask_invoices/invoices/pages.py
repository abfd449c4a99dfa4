"""Pages of invoices."""

from urllib.parse import urlsplit

import requests
from flask import Blueprint, redirect, render_template, request
from markupsafe import escape

from invoices.extensions import db
from invoices.files import content, content_inside, converted, converted_by_program
from invoices.queries import ordered, ordered_by_choice

pages = Blueprint("pages", __name__)


@pages.get("/download")
def download():
    return content(request.args["name"])


@pages.get("/download-inside")
def download_inside():
    return content_inside(request.args["name"])


@pages.post("/convert")
def convert():
    converted(request.form["name"])
    converted_by_program(request.form["name"])
    return redirect("/")


@pages.get("/search")
def search():
    found = ordered(db.session, request.args.get("order", "id"))
    return render_template("search.html", found=found)


@pages.get("/search-by-choice")
def search_by_choice():
    found = ordered_by_choice(db.session, request.args.get("order", "id"))
    return render_template("search.html", found=found)


@pages.get("/greet")
def greet():
    return "<p>" + request.args["name"] + "</p>"  # PB936


@pages.get("/greet-safely")
def greet_safely():
    return f"<p>{escape(request.args['name'])}</p>"


@pages.get("/go")
def go():
    return redirect(request.args["next"])  # PB934


@pages.get("/go-home")
def go_home():
    target = request.args["next"]
    return redirect(target if not urlsplit(target).netloc and target.startswith("/") else "/")


@pages.get("/logo")
def logo():
    return requests.get(request.args["url"], timeout=5).content  # PB922


@pages.get("/rates")
def rates():
    return requests.get("https://rates.example/today", params={"c": request.args["c"]}, timeout=5).content
