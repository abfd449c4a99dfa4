"""Rule PB254: removed-settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Fix
from pybackend_lint.frameworks import django_web
from pybackend_lint.rule import SAFE, UNSAFE, Context, rule
from pybackend_lint.semantic.code_edits import delete_lines

_SECONDS_A_DAY = 86400


@rule(
    "PB254",
    "removed-settings",
    "Delete `{setting}`: Django {gone} and later ignore it",
    nodes=(ast.Assign, ast.AnnAssign),
    applies="django",
    fix=SAFE,
    tags=("deprecation", "correctness"),
)
def check(node: ast.Assign | ast.AnnAssign, ctx: Context) -> Iterator[Finding]:
    """A setting that no supported Django reads any more looks as if it did something.

    ## Why
    Django does not refuse settings that it does not know, so a removed one stays in the file for
    years. Some of them were protection or behaviour that is now off or decided elsewhere:
    `MIDDLEWARE_CLASSES` no longer installs any middleware, `PASSWORD_RESET_TIMEOUT_DAYS` no longer
    shortens the life of a reset link, `USE_L10N = False` no longer turns localised formats off. Who
    reads the settings believes otherwise.

    ## Bad
    ```python file=shop/settings.py check
    INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "shop.orders"]
    ROOT_URLCONF = "shop.urls"

    TIME_ZONE = "Europe/Vienna"
    USE_I18N = True
    USE_L10N = True
    USE_TZ = True
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["django>=5.2,<6"]
    ```

    ```python file=shop/settings/production.py check
    from .base import *

    PASSWORD_RESET_TIMEOUT_DAYS = 1
    ```
    ```python file=shop/settings/base.py
    INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "shop.orders"]
    ROOT_URLCONF = "shop.urls"
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["django>=5.2,<6"]
    ```

    ## Good
    ```python file=shop/settings.py check
    INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "shop.orders"]
    ROOT_URLCONF = "shop.urls"

    TIME_ZONE = "Europe/Vienna"
    USE_I18N = True
    USE_TZ = True
    ```

    ```python file=shop/settings/production.py check
    from .base import *

    PASSWORD_RESET_TIMEOUT = 86400
    ```

    ## Not reported
    ```python file=shop/settings.py check
    INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "shop.orders"]
    ROOT_URLCONF = "shop.urls"
    # Django 5 still asks for it: it chooses the scheme of URLField and silences the warning.
    FORMS_URLFIELD_ASSUME_HTTPS = True
    ```
    ```toml file=pyproject.toml
    [project]
    name = "shop"
    version = "1.0"
    requires-python = ">=3.12"
    dependencies = ["django>=5.2,<6"]
    ```

    ```python file=shop/settings.py check
    INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "shop.orders"]
    ROOT_URLCONF = "shop.urls"
    # A name of the project's own, read below.
    TEMPLATE_DIRS = ["/srv/shop/templates"]
    TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": TEMPLATE_DIRS}]
    ```

    ```python file=shop/reports.py check
    # No settings module: the name is the project's own.
    FILE_CHARSET = "latin-1"
    ```

    ## Fix safety
    Deleting the assignment is safe: Django does not read it. The fix is unsafe for names that the
    project itself may read (`FILE_CHARSET`, `DEFAULT_CONTENT_TYPE`) and where it puts
    `PASSWORD_RESET_TIMEOUT` in place of the number of days, because reset links then expire earlier
    or later than they do now. There is no fix for `USE_L10N = False`, for settings that are set
    conditionally or twice, and for those whose successor has another form.

    ## When not to use it
    When the same settings file must serve Django versions that your dependencies do not declare.

    ## References
    - Django release notes, "Features removed in 3.0", "3.1", "4.0", "5.0", "6.0"
    - https://docs.djangoproject.com/en/stable/internals/deprecation/
    """
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if not isinstance(target, ast.Name) or node.value is None:
        return
    removed = django_web.REMOVED_SETTINGS.get(target.id)
    if removed is None or (isinstance(node, ast.Assign) and len(node.targets) > 1):
        return
    parent = ctx.parent(node)
    redundant = removed.default_since and _is(node.value, removed.default)
    since = removed.default_since if redundant else removed.gone
    if not ctx.project.satisfies(f"django>={since}", "lower") or not _holds_settings(node, parent, ctx):
        return
    if django_web.reads_setting(ctx.module, target.id):
        return
    message = "Delete `{setting}`: it is the default, and Django {gone} ignores it" if redundant else None
    if removed.instead:
        message = "Use `{instead}`: Django {gone} and later ignore `{setting}`"
    yield ctx.finding(
        node,
        end=target,
        message=message,
        fix=_fix(node, target, removed, parent, ctx),
        setting=target.id,
        gone=removed.gone,
        instead=removed.instead,
    )


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


def _holds_settings(node: ast.stmt, parent: ast.AST | None, ctx: Context) -> bool:
    if isinstance(parent, ast.ClassDef):
        return django_web.is_settings_class(ctx.class_info(parent))
    if ctx.enclosing_function(node) is not None or ctx.enclosing_class(node) is not None:
        return False
    return django_web.is_settings_module(ctx.module)


def _fix(
    node: ast.Assign | ast.AnnAssign,
    target: ast.Name,
    removed: django_web.RemovedSetting,
    parent: ast.AST | None,
    ctx: Context,
) -> Fix | None:
    value = node.value
    assert value is not None
    if not isinstance(parent, (ast.Module, ast.ClassDef)) or len(parent.body) < 2:
        return None
    scope = ctx.module.scope if isinstance(parent, ast.Module) else ctx.class_info(parent).scope
    if len(scope.bindings[target.id]) > 1 or removed.instead in scope.bindings:
        return None
    match value:
        case ast.Constant(value=int(days)) if target.id == "PASSWORD_RESET_TIMEOUT_DAYS":
            return ctx.fix(
                f"Set `{removed.instead}` in seconds",
                ctx.edit(target, removed.instead),
                ctx.edit(value, str(_SECONDS_A_DAY * days)),
                applicability=UNSAFE,
            )
    if removed.instead or (removed.default is True and not _is(value, True)):
        return None
    whole = delete_lines(ctx.source, node)
    safe = SAFE if removed.private else UNSAFE
    return ctx.fix(f"Delete `{target.id}`", whole, applicability=safe) if whole is not None else None
