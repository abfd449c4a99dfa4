"""Rule PB958: layer-violation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pybackend_lint.finding import Finding, Related
from pybackend_lint.project.contracts import violations
from pybackend_lint.rule import Context, rule


@rule(
    "PB958",
    "layer-violation",
    "Do not import `{target}` in `{module}`: {contract}",
    nodes=(ast.Module,),
    words=("import",),
    tags=("correctness",),
    tests="both",
    migrations="both",
)
def check(node: ast.Module, ctx: Context) -> Iterator[Finding]:
    """An import breaks a contract that the project has written down for import-linter.

    The contracts are read from the project's own configuration (`setup.cfg`, `.importlinter` or
    `pyproject.toml`), so that there is one place for them; without it nothing is reported. Contracts of
    the types `layers`, `forbidden`, `independence` and `protected` are understood, with `containers`,
    `ignore_imports`, `exclude_type_checking_imports`, `allow_indirect_imports` and `as_packages`. An
    import that breaks a contract through other modules is reported at its first step.

    ## Why
    Layers are there so that one can be changed, tested or moved without the others. The first import
    against the direction is the cheapest to take back; after ten, the layers are one.

    ## Bad
    ```python file=shop/models.py check
    from shop.pricing import price


    class Order:
        def total(self):
            return price(self)
    ```
    ```python file=shop/pricing.py
    from shop.views import current_shop


    def price(order):
        return current_shop().prices[order]
    ```
    ```python file=shop/views.py
    def current_shop(): ...
    ```
    ```toml file=pyproject.toml
    [tool.importlinter]
    root_package = "shop"

    [[tool.importlinter.contracts]]
    name = "views above models"
    type = "layers"
    layers = ["shop.views", "shop.models"]
    ```

    ## Good
    ```python file=shop/models.py check
    class Order:
        def total(self, prices):
            return prices[self]
    ```

    ## Not reported
    ```python file=shop/models.py check
    # The contract ignores this import.
    from shop.views import current_shop


    class Order:
        def shop(self):
            return current_shop()
    ```
    ```python file=shop/views.py
    def current_shop(): ...
    ```
    ```toml file=pyproject.toml
    [tool.importlinter]
    root_package = "shop"

    [[tool.importlinter.contracts]]
    name = "views above models"
    type = "layers"
    layers = ["shop.views", "shop.models"]
    ignore_imports = ["shop.models -> shop.views"]
    ```
    Contracts of other types (`acyclic_siblings` and those that a project writes itself), and `forbidden`,
    `independence` and `protected` contracts that name modules with wildcards, are left to import-linter.
    So is the option `exhaustive` of layers, which asks for layers and not for imports.

    ## When not to use it
    Where import-linter runs anyway and nobody needs its answer in the editor.

    ## References
    - import-linter documentation, "Contract types"
    - https://import-linter.readthedocs.io/en/stable/contract_types.html
    """
    for violation in violations(ctx.module, ctx.project):
        first, *others = violation.chain
        statement = next(
            inner
            for cls in (ast.Import, ast.ImportFrom)
            for inner in ctx.source.nodes(cls)
            if ctx.position(ctx.source.start(inner)) == first.start
        )
        contract = violation.contract
        yield ctx.finding(
            statement,
            related=[
                *(Related(link.path, link.start, f"imports `{link.imported}`") for link in others),
                Related(*contract.place, "the contract that forbids this"),
            ],
            module=first.importer,
            target=violation.chain[-1].imported,
            contract=contract.name,
        )
