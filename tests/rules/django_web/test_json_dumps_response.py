"""Which responses write JSON by hand, and whether `JsonResponse` sends the same."""

from __future__ import annotations

import pytest

from tests.rules.django_web.real_django import run
from tests.rules.harness import findings, fix

HEADER = """
import json
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, HttpResponseBadRequest, JsonResponse
from django.http.response import HttpResponseNotFound
from shop import HttpResponse as OwnResponse, text_of
"""
JSON = 'content_type="application/json"'
SILENT = {
    "already": "return JsonResponse(data)",
    "a response of the project": f"return OwnResponse(json.dumps(data), {JSON})",
    "another function": f"return HttpResponse(text_of(data), {JSON})",
    "another type": 'return HttpResponse(json.dumps(data), content_type="application/ld+json")',
    "text on purpose": 'return HttpResponse(json.dumps(data), content_type="text/plain")',
    "a type that is not known": "return HttpResponse(json.dumps(data), content_type=KIND)",
    "the type in the headers": 'return HttpResponse(json.dumps(data), headers={"Content-Type": "text/plain"})',
    "a type that is set later": (
        'response = HttpResponse(json.dumps(data))\n    response["Content-Type"] = "text/plain"\n    return response'
    ),
    "a file to keep": (
        f"response = HttpResponse(json.dumps(data, indent=2), {JSON})\n"
        '    response["Content-Disposition"] = "attachment"\n    return response'
    ),
    "an encoder": f"return HttpResponse(json.dumps(data, cls=MyEncoder), {JSON})",
    "a function for other values": f"return HttpResponse(json.dumps(data, default=str), {JSON})",
    "arguments that are not known": f"return HttpResponse(json.dumps(data, **options), {JSON})",
    "arguments of the response that are not known": "return HttpResponse(json.dumps(data), **options)",
    "inside a page": 'return HttpResponse("<script>" + json.dumps(data) + "</script>")',
    "the text is needed": f"text = json.dumps(data)\n    log(text)\n    return HttpResponse(text, {JSON})",
    "one of two texts": (
        f'text = json.dumps(data)\n    if not data:\n        text = "[]"\n    return HttpResponse(text, {JSON})'
    ),
    "a text of the module": f"return HttpResponse(TEXT, {JSON})",
}
FOUND = {
    "a dictionary": (f'return HttpResponse(json.dumps({{"a": 1}}), {JSON})', 'return JsonResponse({"a": 1})'),
    "by position": (
        'return HttpResponse(json.dumps({"a": 1}), "application/json", status=201)', None,
    ),
    "something": (f"return HttpResponse(json.dumps(data), {JSON})", "return JsonResponse(data, safe=False)"),
    "as a page": ("return HttpResponse(json.dumps(data))", "return JsonResponse(data, safe=False)"),
    "with a status": (
        f"return HttpResponse(json.dumps(data), status=201, {JSON})",
        "return JsonResponse(data, safe=False, status=201)",
    ),
    "with options": (
        f"return HttpResponse(json.dumps(data, indent=2, ensure_ascii=False), {JSON})",
        'return JsonResponse(data, safe=False, json_dumps_params={"indent": 2, "ensure_ascii": False})',
    ),
    "with Django's encoder": (
        f"return HttpResponse(json.dumps(data, cls=DjangoJSONEncoder), {JSON})",
        "return JsonResponse(data, safe=False)",
    ),
    "with a character set": (
        'return HttpResponse(json.dumps(data), content_type="application/json; charset=utf-8")',
        "return JsonResponse(data, safe=False)",
    ),
    "a response of a status": (
        "return HttpResponseBadRequest(json.dumps(data))", "return JsonResponse(data, safe=False, status=400)",
    ),
    "a response of a module": (
        'return HttpResponseNotFound(json.dumps({"a": 1}))', 'return JsonResponse({"a": 1}, status=404)',
    ),
}  # fmt: skip


def program(body: str) -> str:
    return f"{HEADER}\n\ndef view(request, data, options, log):\n    {body}\n"


@pytest.mark.parametrize("why", SILENT)
def test_silent(why: str) -> None:
    findings("PB217", program(SILENT[why]))


@pytest.mark.parametrize("why", FOUND)
def test_found_and_fixed(why: str) -> None:
    before, after = FOUND[why]
    assert findings("PB217", program(f"{before}  # PB217"))
    if after is not None:
        assert fix("PB217", program(before)).endswith(f"\n    {after}\n")


def test_the_text_under_a_name() -> None:
    body = f"text = json.dumps(data)\n    return HttpResponse(text, {JSON})"
    assert findings("PB217", program(f"{body}  # PB217"))
    fixed = fix("PB217", program(body))
    assert fixed.endswith("\n    text = data\n    return JsonResponse(text, safe=False)\n")


def test_a_comment_is_kept() -> None:
    body = f"return HttpResponse(\n        json.dumps(\n            # as ever\n            data\n        ), {JSON},\n    )"
    text = program(body)
    assert "# as ever" in fix("PB217", text)


def test_django_sends_the_same() -> None:
    printed = run("""
        import json
        from decimal import Decimal
        from django.http import HttpResponse, JsonResponse

        data = {"a": [1, "\\u00e4"], "b": None}
        one = HttpResponse(json.dumps(data), content_type="application/json")
        two = JsonResponse(data)
        print(one.content == two.content, one.headers == two.headers)
        print(HttpResponse(json.dumps(data)).headers["Content-Type"].replace(" ", ""))
        print(JsonResponse({"a": Decimal("1.5")}).content.decode().replace(" ", ""))
        try:
            json.dumps({"a": Decimal("1.5")})
        except TypeError as error:
            print("TypeError")
    """)
    assert printed.split() == ["True", "True", "text/html;charset=utf-8", '{"a":"1.5"}', "TypeError"]
