"""Names of SQLAlchemy, SQLModel and Flask-SQLAlchemy: import paths, classes, methods and column types.

Source: the SQLAlchemy 2.0 and 2.1 API documentation; each name is the documented import path.
"""

from __future__ import annotations

ROOTS = ("sqlalchemy", "sqlmodel", "flask_sqlalchemy")

SESSION = "sqlalchemy.orm.Session"
ASYNC_SESSION = "sqlalchemy.ext.asyncio.AsyncSession"
SCOPED_SESSION = "sqlalchemy.orm.scoped_session"
ASYNC_SCOPED_SESSION = "sqlalchemy.ext.asyncio.async_scoped_session"
SESSION_MAKER = "sqlalchemy.orm.sessionmaker"
ASYNC_SESSION_MAKER = "sqlalchemy.ext.asyncio.async_sessionmaker"
CONNECTION = "sqlalchemy.Connection"
ASYNC_CONNECTION = "sqlalchemy.ext.asyncio.AsyncConnection"
ENGINE = "sqlalchemy.Engine"
ASYNC_ENGINE = "sqlalchemy.ext.asyncio.AsyncEngine"

ASYNC_EXECUTORS = frozenset({ASYNC_SESSION, ASYNC_CONNECTION})
SELECT = "sqlalchemy.Select"
UPDATE = "sqlalchemy.Update"
DELETE = "sqlalchemy.Delete"
QUERY = "sqlalchemy.orm.Query"
RESULT = "sqlalchemy.Result"
SCALARS = "sqlalchemy.ScalarResult"
LOADER = "sqlalchemy.orm.Load"
ATTRIBUTE = "sqlalchemy.orm.InstrumentedAttribute"
CLAUSE = "sqlalchemy.ColumnElement"
# The fact of a session or database object whose queries are of a class of the project's own.
CUSTOM_QUERIES = "custom query class"
RELATIONSHIP = "sqlalchemy.orm.Relationship"
MAPPED_COLUMN = "sqlalchemy.orm.MappedColumn"
COLUMN = "sqlalchemy.Column"
MAPPED = "sqlalchemy.orm.Mapped"

DECLARATIVE_BASE = "sqlalchemy.orm.DeclarativeBase"
FLASK_DATABASE = "flask_sqlalchemy.SQLAlchemy"
FLASK_MODEL = "flask_sqlalchemy.SQLAlchemy.Model"
SCOPES = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
PAGINATION = "flask_sqlalchemy.pagination.Pagination"
SQLMODEL = "sqlmodel.SQLModel"

DECLARATIVE_BASES = frozenset({DECLARATIVE_BASE, "sqlalchemy.orm.DeclarativeBaseNoMeta"})
DECLARATIVE_BASE_CALLS = frozenset({"sqlalchemy.orm.declarative_base"})
MAPPED_ROOTS = DECLARATIVE_BASES | {
    "sqlalchemy.orm.declarative_base()", "sqlalchemy.ext.automap.automap_base()",
    "sqlalchemy.orm.registry.generate_base()", FLASK_MODEL,
}  # fmt: skip
MAPPING_DECORATORS = frozenset(
    {"sqlalchemy.orm.registry.mapped", "sqlalchemy.orm.registry.mapped_as_dataclass",
     "sqlalchemy.orm.mapped_as_dataclass"}
)  # fmt: skip
BASE_DECORATORS = frozenset({"sqlalchemy.orm.as_declarative", "sqlalchemy.orm.registry.as_declarative_base"})
COLUMN_CALLS = frozenset({COLUMN, "sqlalchemy.orm.mapped_column"})
DECLARED_ATTR = frozenset({"sqlalchemy.orm.declared_attr", "sqlalchemy.orm.declared_attr.directive"})

# Annotations that only say how an attribute is mapped: `Mapped[int]`.
MAPPED_ANNOTATIONS = frozenset({MAPPED, "sqlalchemy.orm.DynamicMapped", "sqlalchemy.orm.WriteOnlyMapped"})

LOADER_OPTIONS = frozenset(
    ["selectinload", "joinedload", "subqueryload", "immediateload", "contains_eager", "lazyload",
     "raiseload", "noload", "defaultload"]
)  # fmt: skip
# Options that say nothing about relationships.
COLUMN_OPTIONS = frozenset({"load_only", "defer", "undefer", "undefer_group", "with_expression"})
LOADS_EAGERLY = frozenset({"selectinload", "joinedload", "subqueryload", "immediateload", "contains_eager"})
# Reading raises or gives an empty value at once, so there is no I/O.
NEVER_LOADS = frozenset({"raiseload", "noload"})

# Values of `relationship(lazy=...)` that load when the attribute is read.
LAZY_ON_READ = frozenset({"select", "True"})
# Those that load with the object, when a statement or a refresh loads it.
LAZY_WITH_OBJECT = frozenset({"selectin", "joined", "subquery", "immediate", "False"})

# Methods of a statement or query that keep what it selects.
KEEPS_ENTITIES = frozenset(
    ["where", "filter", "filter_by", "join", "join_from", "outerjoin", "outerjoin_from",
     "select_from", "order_by", "group_by", "having", "limit", "offset", "distinct",
     "with_for_update", "execution_options", "correlate", "correlate_except", "prefix_with",
     "suffix_with", "with_hint", "with_statement_hint", "fetch", "slice", "populate_existing",
     "enable_eagerloads", "enable_assertions", "autoflush", "yield_per", "params", "add_cte",
     "reset_joinpoint", "from_statement"]
)  # fmt: skip

RESULT_METHODS_ALL = frozenset({"all", "fetchall", "fetchmany", "partitions"})
RESULT_METHODS_ONE = frozenset({"one", "first", "one_or_none", "fetchone"})
RESULT_METHODS_SCALAR = frozenset({"scalar", "scalar_one", "scalar_one_or_none"})
# Methods that raise without `unique()` when a collection was joined.
READS_ROWS = frozenset(
    ["all", "fetchall", "fetchmany", "fetchone", "one", "one_or_none", "scalar_one", "scalar_one_or_none"]
)
OPTIONAL_RESULTS = frozenset({"first", "one_or_none", "fetchone", "scalar", "scalar_one_or_none"})

# Functions whose result is a SQL expression.
CLAUSE_FUNCTIONS = frozenset(
    f"sqlalchemy.{name}"
    for name in ["and_", "or_", "not_", "case", "cast", "literal", "literal_column", "null", "true", "false",
     "exists", "between", "desc", "asc", "type_coerce", "distinct", "extract", "tuple_", "any_",
     "all_", "collate", "nulls_first", "nulls_last"]
)  # fmt: skip
# Names that Flask-SQLAlchemy's `db` offers besides the types, which start with a capital letter.
ORM_NAMES = frozenset(
    ["relationship", "backref", "joinedload", "selectinload", "subqueryload", "lazyload",
     "contains_eager", "aliased", "column_property", "mapped_column", "Mapped", "synonym",
     "composite", "deferred", "defer", "undefer", "load_only", "DeclarativeBase",
     "declarative_base", "sessionmaker", "declared_attr"]
)  # fmt: skip
CORE_NAMES = frozenset(
    ["and_", "or_", "not_", "func", "text", "case", "cast", "delete", "insert", "update", "desc",
     "asc", "exists", "distinct", "null", "true", "false", "literal", "literal_column", "column",
     "union", "union_all", "between"]
)  # fmt: skip

# Methods of a session or connection that talk to the database.
BLOCKING_METHODS = frozenset(
    ["execute", "scalar", "scalars", "exec", "get", "get_one", "commit", "flush", "refresh", "rollback",
     "merge", "exec_driver_sql", "bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"]
)  # fmt: skip
# Methods that end a legacy query by running it.
QUERY_ENDS = frozenset({"all", "first", "one", "one_or_none", "scalar", "count", "delete", "update", "get"})
# Methods of `Query` that `Select` has with the same meaning.
KEPT_BY_SELECT = frozenset(
    ["where", "filter", "filter_by", "join", "outerjoin", "order_by", "group_by", "having", "limit", "offset",
     "distinct", "options", "with_for_update", "select_from"]
)  # fmt: skip
# All methods of `Query`, and those that Flask-SQLAlchemy adds.
QUERY_METHODS = (
    QUERY_ENDS
    | KEEPS_ENTITIES
    | frozenset(
        ["options", "with_entities", "add_columns", "add_column", "add_entity", "from_self", "subquery",
         "scalar_subquery", "as_scalar", "cte", "label", "exists", "union", "union_all", "intersect",
         "intersect_all", "except_", "except_all", "paginate", "first_or_404", "get_or_404", "one_or_404",
         "with_parent", "select_entity_from", "selectable", "merge_result", "values", "value", "instances",
         "with_session", "with_labels", "set_label_style", "only_return_tuples", "tuples", "yield_per",
         "with_transformation", "get_execution_options", "lazy_loaded_from", "is_single_entity", "add_cte"]
    )
)  # fmt: skip

# SQLAlchemy type -> (Python type, module to import it from, or "" for a built-in).
PYTHON_TYPES: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("Integer", "BigInteger", "SmallInteger", "INTEGER", "BIGINT", "SMALLINT"), ("int", "")),
    **dict.fromkeys(
        ("String", "Text", "Unicode", "UnicodeText", "VARCHAR", "TEXT", "CHAR", "NVARCHAR"), ("str", "")
    ),
    **dict.fromkeys(("Boolean", "BOOLEAN"), ("bool", "")),
    **dict.fromkeys(("Float", "Double", "FLOAT", "REAL"), ("float", "")),
    **dict.fromkeys(("Numeric", "NUMERIC", "DECIMAL"), ("Decimal", "decimal")),
    "Date": ("date", "datetime"), "DATE": ("date", "datetime"),
    "DateTime": ("datetime", "datetime"), "DATETIME": ("datetime", "datetime"),
    "TIMESTAMP": ("datetime", "datetime"),
    "Time": ("time", "datetime"), "TIME": ("time", "datetime"),
    "Interval": ("timedelta", "datetime"),
    **dict.fromkeys(("LargeBinary", "BLOB", "VARBINARY", "BINARY"), ("bytes", "")),
    **dict.fromkeys(("Uuid", "UUID"), ("UUID", "uuid")),
}  # fmt: skip

_SQLMODEL_REEXPORTS = ["and_", "or_", "not_", "func", "select", "text", "case", "cast", "delete", "insert",
     "update", "Column", "ForeignKey", "Integer", "String", "Text", "Boolean", "Float", "Numeric", "Date",
     "DateTime", "Time", "LargeBinary", "Enum", "JSON", "Uuid", "BigInteger", "SmallInteger",
     "Index", "UniqueConstraint", "CheckConstraint", "MetaData", "Table", "create_engine", "desc",
     "asc", "exists", "distinct", "null", "true", "false", "literal", "literal_column", "column",
     "union", "union_all", "between"]  # fmt: skip
_ORM_MODULES = [
    "session",
    "query",
    "decl_api",
    "strategy_options",
    "scoping",
    "attributes",
    "relationships",
    "base",
    "mapped_collection",
    "util",
    "context",
]
# What was importable from `sqlalchemy.ext.declarative` before 2.0.
_OLD_DECLARATIVE = ("declarative_base", "as_declarative", "declared_attr", "has_inherited_table")

ALIASES: dict[str, str] = {
    "sqlmodel.Session": SESSION,
    "sqlmodel.orm.session.Session": SESSION,
    "sqlmodel.ext.asyncio.session.AsyncSession": ASYNC_SESSION,
    "sqlmodel.main.SQLModel": SQLMODEL,
    "sqlmodel.main.Relationship": "sqlmodel.Relationship",
    "sqlmodel.main.Field": "sqlmodel.Field",
    "sqlalchemy.orm.relation": "sqlalchemy.orm.relationship",
    "sqlalchemy.future.Engine": ENGINE,
    "sqlalchemy.future.Connection": CONNECTION,
    "sqlalchemy.engine.create.create_engine": "sqlalchemy.create_engine",
    "flask_sqlalchemy.extension.SQLAlchemy": FLASK_DATABASE,
    "flask_sqlalchemy.model.Model": FLASK_MODEL,
    "sqlalchemy.sql.functions.func": "sqlalchemy.func",
    **{f"sqlmodel.{name}": f"sqlalchemy.{name}" for name in _SQLMODEL_REEXPORTS},
    **{f"sqlalchemy.ext.declarative.{name}": f"sqlalchemy.orm.{name}" for name in _OLD_DECLARATIVE},
    "sqlalchemy.ext.declarative.api.": "sqlalchemy.orm.",
    **{f"sqlalchemy.orm.{module}.": "sqlalchemy.orm." for module in _ORM_MODULES},
    "sqlalchemy.ext.asyncio.session.": "sqlalchemy.ext.asyncio.",
    "sqlalchemy.ext.asyncio.engine.": "sqlalchemy.ext.asyncio.",
    "sqlalchemy.ext.asyncio.scoping.": "sqlalchemy.ext.asyncio.",
    "sqlalchemy.engine.base.": "sqlalchemy.",
    "sqlalchemy.engine.result.": "sqlalchemy.",
    "sqlalchemy.engine.row.": "sqlalchemy.",
    "sqlalchemy.engine.": "sqlalchemy.",
    "sqlalchemy.future.": "sqlalchemy.",
    "sqlalchemy.schema.": "sqlalchemy.",
    "sqlalchemy.types.": "sqlalchemy.",
    "sqlalchemy.sql.expression.": "sqlalchemy.",
    "sqlalchemy.sql.elements.": "sqlalchemy.",
    "sqlalchemy.sql.selectable.": "sqlalchemy.",
    "sqlalchemy.sql.schema.": "sqlalchemy.",
    "sqlalchemy.sql.sqltypes.": "sqlalchemy.",
    "sqlalchemy.sql.functions.": "sqlalchemy.func.",
    "sqlalchemy.sql.": "sqlalchemy.",
}

BASES: dict[str, tuple[str, ...]] = {}
