"""Traps of path-traversal-flow, and what the frameworks make of names."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path

import pytest

from tests.rules.execution import executed
from tests.rules.harness import findings

FLASK = """
import os
from pathlib import Path
from uuid import uuid4
from flask import Flask, request, send_file, send_from_directory
from werkzeug.utils import secure_filename
app = Flask(__name__)
BASE = Path("/srv/files")
"""
SILENT = {
    "a name of our own": """
        import uuid
        @app.post("/a")
        def a():
            file = request.files["file"]
            file.save(os.path.join("/srv/files", f"{uuid.uuid4()}.bin"))
            return ""
    """,
    "related to the base": """
        @app.get("/a")
        def a():
            path = (BASE / request.args["name"]).resolve()
            if not path.is_relative_to(BASE):
                return "", 403
            return path.read_text()
    """,
    "kept by the storage of Django": """
        from django.core.files.storage import FileSystemStorage
        def store(request):
            file = request.FILES["file"]
            return FileSystemStorage("/srv/files").save(file.name, file)
    """,
    "its text stays below the directory": """
        @app.get("/a")
        def a():
            path = (BASE / request.args["name"]).resolve()
            if not str(path).startswith(f"{BASE}/"):
                return "", 403
            return path.read_text()
    """,
    "a segment of the path": """
        @app.get("/a/<name>")
        def a(name):
            return send_file(BASE / name)
    """,
    "only the last part": """
        @app.get("/a")
        def a():
            return send_file(BASE / Path(request.args["name"]).name)
    """,
    "only the base name": """
        @app.get("/a")
        def a():
            return send_file(os.path.join(BASE, os.path.basename(request.args["name"])))
    """,
    "made safe": """
        @app.post("/a")
        def a():
            file = request.files["file"]
            file.save(BASE / secure_filename(file.filename))
            return ""
    """,
    "resolved and checked": """
        @app.get("/a")
        def a():
            path = (BASE / request.args["name"]).resolve()
            if not path.is_relative_to(BASE):
                return "", 404
            return send_file(path)
    """,
    "dots are refused": """
        @app.get("/a")
        def a():
            name = request.args["name"]
            if ".." in name or name.startswith("/"):
                return "", 404
            return send_file(BASE / name)
    """,
    "glued to a name of our own": """
        @app.post("/a")
        def a():
            file = request.files["file"]
            file.save(os.path.join("/srv", f"{uuid4().hex}_{file.filename}"))
            return ""
    """,
    "Flask checks itself": """
        @app.get("/a")
        def a():
            return send_from_directory(BASE, request.args["name"])
    """,
    "a number": """
        @app.get("/a")
        def a():
            return send_file(f"/srv/{int(request.args['number'])}.pdf")
    """,
    "the content, not the name": """
        @app.post("/a")
        def a():
            with open("/srv/last", "wb") as file:
                file.write(request.files["file"].read())
            return ""
    """,
}
FOUND = {
    "the name of an upload": """
        @app.post("/a")
        def a():
            file = request.files["file"]
            file.save(os.path.join("/srv/files", file.filename))  # PB923
            return ""
    """,
    "a part of a path": """
        @app.get("/a")
        def a():
            return send_file(f"/srv/files/{request.args['name']}.pdf")  # PB923
    """,
    "a path in the address": """
        @app.get("/files/<path:name>")
        def a(name):
            with open("/srv/files/" + name) as file:  # PB923
                return file.read()
    """,
    "removed": """
        @app.post("/a")
        def a():
            path = BASE / request.form["name"]
            path.unlink()  # PB923
            return ""
    """,
}


@pytest.mark.parametrize("name", SILENT)
def test_silent(name: str) -> None:
    findings("PB923", FLASK + textwrap.dedent(SILENT[name]))


@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    findings("PB923", FLASK + textwrap.dedent(FOUND[name]))


def test_fastapi_upload() -> None:
    findings(
        "PB923",
        """
        from pathlib import Path
        from fastapi import FastAPI, UploadFile

        app = FastAPI()
        BASE = Path("/srv/files")


        @app.post("/a")
        async def a(file: UploadFile) -> int:
            target = BASE.joinpath(file.filename)
            return target.write_bytes(await file.read())  # PB923
        """,
    )


def test_django_reduces_the_names_of_uploads() -> None:
    findings(
        "PB923",
        """
        def store(request):
            file = request.FILES["file"]
            with open("/srv/files/" + file.name, "wb") as target:
                target.write(file.read())
        """,
    )
    from django.core.files.uploadedfile import SimpleUploadedFile  # type: ignore[import-untyped]

    assert SimpleUploadedFile("../../etc/passwd", b"").name == "passwd"


def test_the_outside_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("outside")
    (tmp_path / "files").mkdir()
    code = FLASK + textwrap.dedent(FOUND["a path in the address"])
    app = executed(code.replace("/srv/files/", f"{tmp_path}/files/"))["app"]
    assert app.test_client().get("/files/..%2Fsecret").text == "outside"


def test_the_name_of_an_upload_is_what_the_client_says(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    code = FLASK + textwrap.dedent(FOUND["the name of an upload"])
    app = executed(code.replace("/srv/files", f"{tmp_path}/files"))["app"]
    upload = (io.BytesIO(b"written"), "../outside")
    app.test_client().post("/a", data={"file": upload}, content_type="multipart/form-data")
    assert (tmp_path / "outside").read_bytes() == b"written"


DJANGO = """
import os
from django.conf import settings
from django.http import FileResponse, Http404
from django.utils._os import safe_join
from django.views import View


def media(request, path):
    return FileResponse(open(os.path.join(settings.MEDIA_ROOT, path), "rb"))  # PB923


class Media(View):
    def get(self, request, path):
        return FileResponse(open(os.path.join(settings.MEDIA_ROOT, path), "rb"))  # PB923


def segment(request, name):
    return FileResponse(open(os.path.join(settings.MEDIA_ROOT, name), "rb"))


def number(request, number):
    return FileResponse(open(os.path.join(settings.MEDIA_ROOT, number), "rb"))


def joined(request, path):
    return FileResponse(open(safe_join(settings.MEDIA_ROOT, path), "rb"))


def checked(request, path):
    full = os.path.realpath(os.path.join(settings.MEDIA_ROOT, path))
    if not full.startswith(settings.MEDIA_ROOT + os.sep):
        raise Http404
    return FileResponse(open(full, "rb"))


def unrouted(request, path):
    return FileResponse(open(os.path.join(settings.MEDIA_ROOT, path), "rb"))
"""
URLS = """
from django.urls import path, re_path
from shop import views

urlpatterns = [
    re_path(r"^media/(?P<path>.*)$", views.media),
    path("class/<path:path>", views.Media.as_view()),
    path("segment/<str:name>", views.segment),
    re_path(r"^numbers/(?P<number>[0-9.]+)/$", views.number),
    path("joined/<path:path>", views.joined),
    path("checked/<path:path>", views.checked),
]
"""


def test_paths_in_the_addresses_of_django() -> None:
    findings("PB923", DJANGO, path="shop/views.py", files={"shop/urls.py": URLS, "shop/__init__.py": ""})


def test_django_hands_on_the_way_up() -> None:
    from django.urls import path

    match = path("media/<path:path>", lambda request, path: None).resolve("media/../secret")
    assert match is not None
    assert match.kwargs == {"path": "../secret"}
