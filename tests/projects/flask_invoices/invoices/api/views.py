"""The API of invoices."""

from flask import Blueprint, jsonify, request

from invoices.api.errors import OrderError, PaymentError
from invoices.extensions import db
from invoices.models import Customer, Invoice

api = Blueprint("api", __name__)


@api.get("/invoices/<int:invoice_id>")
def invoice(invoice_id: int):
    try:
        return jsonify(cents=charge(invoice_id))
    except Exception as error:
        return jsonify(error=str(error)), 500  # PB912


@api.post("/invoices/<int:invoice_id>/charge")
def charge_now(invoice_id: int):
    try:
        return jsonify(cents=charge(invoice_id))
    except OrderError:
        return jsonify(error="cannot be charged"), 409
    except PaymentError:  # PB914
        return jsonify(error="was refused"), 402


def charge(invoice_id: int) -> int:
    found = db.session.get(Invoice, invoice_id)
    if found is None:
        raise OrderError
    if found.cents > 100_000:
        raise PaymentError
    return found.cents


@api.post("/customers")
def add_customer():
    customer = Customer(**request.get_json())  # PB935
    db.session.add(customer)
    db.session.commit()
    return jsonify(id=customer.id)


@api.post("/customers/named")
def add_named_customer():
    customer = Customer(name=request.get_json()["name"])
    db.session.add(customer)
    db.session.commit()
    return jsonify(id=customer.id)
