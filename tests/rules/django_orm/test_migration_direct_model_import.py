"""Which functions of a migration work with models of today, and what happens to a new database then."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.rules.harness import documentation, entry_of, examples, findings, fix, write

MODELS = """
from django.db import models
from mptt.models import MPTTModel


class State(models.TextChoices):
    OPEN = "open"


class Owned(models.Model):
    class Meta:
        abstract = True


class Company(models.Model):
    name = models.CharField(max_length=20)


class OrderManager(models.Manager):
    def open(self):
        return self.filter(state="open")


class Order(models.Model):
    LIMIT = 5
    state = models.CharField(max_length=20)
    company = models.ForeignKey(Company, models.CASCADE)
    objects = OrderManager()


class Invoice(models.Model):
    def save(self, *args, **kwargs):
        self.number = 1
        super().save(*args, **kwargs)


class Folder(MPTTModel):
    pass


def default_state():
    return "open"
"""
FILES = {"shop/__init__.py": "", "shop/models.py": MODELS}
PATH = "shop/migrations/0002_data.py"
HEAD = """\
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import migrations
from shop.models import Company, Folder, Invoice, Order, State, default_state

"""
TAIL = """

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
"""
SILENT = {
    "the historical model": 'def forward(apps, schema_editor):\n    apps.get_model("shop", "Company").objects.all()\n',
    "a local name of the same spelling": (
        'def forward(apps, schema_editor):\n    Company = apps.get_model("shop", "Company")\n    Company.objects.all()\n'
    ),
    "a parameter of the same spelling": (
        "def work(Company):\n    Company.objects.all()\n\n\n"
        'def forward(apps, schema_editor):\n    work(apps.get_model("shop", "Company"))\n'
    ),
    "a constant": "def forward(apps, schema_editor):\n    print(Order.LIMIT)\n",
    "an enumeration": "def forward(apps, schema_editor):\n    print(State.OPEN)\n",
    "a function": "def forward(apps, schema_editor):\n    print(default_state())\n",
    "the class itself": "def forward(apps, schema_editor):\n    print(Order)\n",
    "a row that never meets the database": (
        'def forward(apps, schema_editor):\n    print(Company(name="a").get_absolute_url())\n'
    ),
    "a model of Django": 'def forward(apps, schema_editor):\n    Group.objects.get_or_create(name="staff")\n',
    "a function that the migration does not run": (
        "def backfill():\n    Company.objects.all()\n\n\ndef forward(apps, schema_editor):\n    pass\n"
    ),
}  # fmt: skip
FOUND = {
    "a query": "def forward(apps, schema_editor):\n    Company.objects.update(name='x')  # PB143\n",
    "a manager of the project": "def forward(apps, schema_editor):\n    print(Order.objects.open())  # PB143\n",
    "a new row": "def forward(apps, schema_editor):\n    company = Company(name='x')  # PB143\n    company.save()\n",
    "a new row at once": "def forward(apps, schema_editor):\n    Company(name='x').save()  # PB143\n",
    "an import in the function": (
        "def forward(apps, schema_editor):\n    from shop import models\n\n    models.Company.objects.all()  # PB143\n"
    ),
    "only the first use": (
        "def forward(apps, schema_editor):\n    if Company.objects.exists():  # PB143\n"
        "        Company.objects.all().delete()\n"
    ),
    "two models": (
        "def forward(apps, schema_editor):\n    for row in Company.objects.all():  # PB143\n"
        "        Order(company=row).save()  # PB143\n"
    ),
    "a function that the function calls": (
        "def rename():\n    Company.objects.update(name='x')  # PB143\n\n\n"
        "def forward(apps, schema_editor):\n    rename()\n"
    ),
}
FIXED = {
    "with a docstring": (
        'def forward(apps, schema_editor):\n    """Rename."""\n    Company.objects.update(name="x")\n',
        'def forward(apps, schema_editor):\n    """Rename."""\n    Company = apps.get_model("shop", "Company")\n'
        '    Company.objects.update(name="x")\n',
    ),
    "under the name of the parameter": (
        'def forward(state, editor):\n    Company(name="x").save()\n',
        'def forward(state, editor):\n    Company = state.get_model("shop", "Company")\n    Company(name="x").save()\n',
    ),
}  # fmt: skip
NOT_FIXED = {
    "a manager of the project": "def forward(apps, schema_editor):\n    Order.objects.open()\n",
    "rows of another model": (
        "def forward(apps, schema_editor):\n    for user in get_user_model().objects.all():\n"
        "        Order.objects.create(user=user)\n"
    ),
    "a row of another imported model": (
        "def forward(apps, schema_editor):\n    Company.objects.create(group=Group.objects.get())\n"
    ),
    "a model that saves in its own way": "def forward(apps, schema_editor):\n    Invoice.objects.create()\n",
    "a tree of another library": "def forward(apps, schema_editor):\n    Folder.objects.create()\n",
    "no parameters": "def forward(*args):\n    Company.objects.update(name='x')\n",
    "the model from inside the function": (
        "def forward(apps, schema_editor):\n    from shop.models import Company\n\n    Company.objects.all()\n"
    ),
}


@pytest.mark.parametrize("why", SILENT)
def test_silent(why: str) -> None:
    findings("PB143", HEAD + SILENT[why] + TAIL, files=FILES, path=PATH)


@pytest.mark.parametrize("why", FOUND)
def test_found(why: str) -> None:
    found = findings("PB143", HEAD + FOUND[why] + TAIL, files=FILES, path=PATH)
    assert found
    assert all(finding.related[0].path.endswith("shop/models.py") for finding in found)


def test_the_way_back_counts() -> None:
    functions = (
        "def forward(apps, schema_editor):\n    pass\n\n\n"
        "def back(apps, schema_editor):\n    Company.objects.all().delete()  # PB143\n"
    )
    for operation in ("RunPython(forward, back)", "RunPython(code=forward, reverse_code=back)"):
        tail = TAIL.replace("RunPython(forward, migrations.RunPython.noop)", operation)
        assert findings("PB143", HEAD + functions + tail, files=FILES, path=PATH)


def test_silent_outside_migrations() -> None:
    code = "def forward(apps, schema_editor):\n    Company.objects.all()\n"
    findings("PB143", HEAD + code + TAIL, files=FILES, path="shop/data.py")


@pytest.mark.parametrize("why", FIXED)
def test_fixed(why: str) -> None:
    before, after = FIXED[why]
    keep = "from shop.models import Company\nfrom django.db import migrations\n\n"
    assert fix("PB143", keep + before + TAIL, files=FILES, path=PATH) == (
        "from django.db import migrations\n\n" + after + TAIL
    )


@pytest.mark.parametrize("why", NOT_FIXED)
def test_not_fixed(why: str) -> None:
    text = HEAD + NOT_FIXED[why] + TAIL
    assert fix("PB143", text, files=FILES, path=PATH) == text


def test_no_fix_without_the_dependency() -> None:
    code = "def forward(apps, schema_editor):\n    Company.objects.all()\n"
    text = HEAD + code + TAIL
    files = {**FILES, "sales/models.py": "", "sales/__init__.py": ""}
    assert fix("PB143", text, files=files, path="sales/migrations/0002_data.py") != text
    text = text.replace('("shop", "0001_initial")', '("sales", "0001_initial")')
    assert fix("PB143", text, files=files, path="sales/migrations/0002_data.py") == text


_PROGRAM = """
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["shop"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()
from django.core.management import call_command
from django.db.utils import OperationalError

try:
    call_command("migrate", verbosity=0)
    print("migrated")
except OperationalError as error:
    print(error)
"""
_HISTORY: Mapping[str, str] = {
    "shop/__init__.py": "",
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_initial.py": """
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Product", [
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=100)),
            ("slug", models.SlugField(default="")),
        ]),
    ]
""",
    "shop/migrations/0003_weight.py": """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_fill_slugs")]
    operations = [migrations.AddField("product", "weight", models.PositiveIntegerField(default=0))]
""",
}


def test_a_new_database_cannot_be_migrated(tmp_path: Path) -> None:
    printed = {}
    bad = examples(documentation(entry_of("PB143")), "Bad")[0]
    for title in ("Bad", "Good"):
        example = examples(documentation(entry_of("PB143")), title)[0]
        root = tmp_path / title
        write(root, {**_HISTORY, **bad.files, example.path: example.text})
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM], cwd=root, capture_output=True, text=True, check=True
        )
        printed[title] = done.stdout.strip()
    assert printed == {"Bad": "no such column: shop_product.weight", "Good": "migrated"}
