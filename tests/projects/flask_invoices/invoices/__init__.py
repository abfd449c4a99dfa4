"""The application of the invoices."""

import os

from flask import Flask

from invoices.extensions import db
from invoices.pages import pages
from invoices.api.views import api


def create_app() -> Flask:
    """An application with all its blueprints."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    db.init_app(app)
    app.register_blueprint(pages)
    app.register_blueprint(api, url_prefix="/api")
    return app
