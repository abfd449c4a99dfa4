"""Rule PB934: open-redirect."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding
from pybackend_lint.frameworks import request_data, request_sinks
from pybackend_lint.project.data_flow import Place, flow_to
from pybackend_lint.rule import Context, rule


@rule(
    "PB934",
    "open-redirect",
    "Check the host of `{name}` before redirecting to it: it comes from the request",
    nodes=(ast.Call, ast.Module),
    names=request_sinks.REDIRECT_CALLS,
    tags=("security",),
)
def check(node: ast.Call | ast.Module, ctx: Context) -> Iterator[Finding]:
    """A request says where to redirect to, and nothing looks at the host.

    ## Why
    A link to your site then leads to any other one: `/login?next=https://evil.example`. Whoever clicks sees
    your address first, logs in and is handed to a copy that asks for the password again. Tokens in the
    address or its fragment go along.

    ## Bad
    ```python
    from django.contrib.auth import login
    from django.shortcuts import redirect

    from accounts.targets import next_page


    def sign_in(request, user):
        login(request, user)
        return redirect(next_page(request))
    ```
    ```python file=accounts/targets.py
    def next_page(request):
        return request.POST.get("next") or request.GET.get("next") or "/"
    ```
    ## Good
    ```python
    from django.contrib.auth import login
    from django.shortcuts import redirect
    from django.utils.http import url_has_allowed_host_and_scheme

    from accounts.targets import next_page


    def sign_in(request, user):
        login(request, user)
        target = next_page(request)
        if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
            target = "/"
        return redirect(target)
    ```
    ## Not reported
    ```python
    from flask import Flask, redirect, request, url_for

    app = Flask(__name__)


    @app.get("/old/<name>")
    def old(name: str):
        return redirect(f"/new/{name}?page={request.args.get('page')}")


    @app.get("/go")
    def go():
        target = request.args.get("next", "")
        # whether the check is good is not judged: `//evil.example` passes this one
        if not target.startswith("/"):
            target = url_for("old", name="home")
        return redirect(target)
    ```
    Only what begins the address counts. The `Referer` header and forms, which a link cannot choose, do not.
    ## When not to use it
    In services that redirect anywhere by design, such as link shorteners.
    ## References
    - OWASP Cheat Sheet Series, "Unvalidated Redirects and Forwards"
    - Django documentation, `django.utils.http.url_has_allowed_host_and_scheme`
    """
    if isinstance(node, ast.Call):
        sink = request_sinks.redirect_target(node, ctx.module)
        sinks = [sink] if sink is not None else []
    else:
        sinks = list(request_sinks.locations_set(ctx.module))
    if not sinks or request_sinks.is_sample(ctx):
        return
    for sink in sinks:
        flow = flow_to(sink.value, ctx.module, request_data.REDIRECTS, Place.START)
        if flow is not None:
            yield ctx.finding(sink.value, name=flow.origin.shown, related=flow.steps)
