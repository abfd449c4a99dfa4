"""What Pydantic 2 has renamed and removed, from its migration guide and its own warnings."""

from __future__ import annotations

# Keys of the configuration that only have another name.
RENAMED_KEYS = {
    "allow_population_by_field_name": "populate_by_name",
    "anystr_lower": "str_to_lower",
    "anystr_strip_whitespace": "str_strip_whitespace",
    "anystr_upper": "str_to_upper",
    "keep_untouched": "ignored_types",
    "max_anystr_length": "str_max_length",
    "min_anystr_length": "str_min_length",
    "orm_mode": "from_attributes",
    "schema_extra": "json_schema_extra",
    "validate_all": "validate_default",
}
# Keys that Pydantic 2 ignores, because it always behaves as they asked or has nothing to switch.
NEEDLESS_KEYS = frozenset(
    {"smart_union", "underscore_attrs_are_private", "copy_on_model_validation", "post_init_call"}
)
# Keys that Pydantic 2 ignores although they asked for something, and what its users can do instead.
LOST_KEYS = {
    "fields": "Field()",
    "getter_dict": "model_validator(mode='before')",
    "json_loads": "model_validate()",
    "json_dumps": "model_dump()",
    "error_msg_templates": "PydanticCustomError",
}
# `allow_mutation=False` is `frozen=True`; `allow_mutation=True` is the default of both generations.
INVERTED_KEYS = {"allow_mutation": "frozen"}

KEPT_KEYS = frozenset(
    {
        "alias_generator", "allow_inf_nan", "arbitrary_types_allowed", "cache_strings",
        "coerce_numbers_to_str", "defer_build", "extra", "field_title_generator", "from_attributes",
        "frozen", "hide_input_in_errors", "ignored_types", "json_encoders", "json_schema_extra",
        "json_schema_mode_override", "json_schema_serialization_defaults_required", "loc_by_alias",
        "model_title_generator", "plugin_settings", "populate_by_name", "protected_namespaces",
        "regex_engine", "revalidate_instances", "schema_generator", "ser_json_bytes",
        "ser_json_inf_nan", "ser_json_temporal", "ser_json_timedelta", "serialize_by_alias",
        "str_max_length", "str_min_length", "str_strip_whitespace", "str_to_lower", "str_to_upper",
        "strict", "title", "use_attribute_docstrings", "use_enum_values", "val_json_bytes",
        "val_temporal_unit", "validate_assignment", "validate_by_alias", "validate_by_name",
        "validate_default", "validate_return", "validation_error_cause",
    }
)  # fmt: skip
SETTINGS_KEYS = KEPT_KEYS | {
    "case_sensitive", "cli_avoid_json", "cli_enforce_required", "cli_exit_on_error",
    "cli_flag_prefix_char", "cli_hide_none_type", "cli_ignore_unknown_args", "cli_implicit_flags",
    "cli_kebab_case", "cli_parse_args", "cli_parse_none_str", "cli_prefix", "cli_prog_name",
    "cli_use_class_docs_for_groups", "enable_decoding", "env_file", "env_file_encoding",
    "env_ignore_empty", "env_nested_delimiter", "env_nested_max_split", "env_parse_enums",
    "env_parse_none_str", "env_prefix", "json_file", "json_file_encoding",
    "nested_model_default_partial_update", "pyproject_toml_depth", "pyproject_toml_table_header",
    "secrets_dir", "toml_file", "yaml_config_section", "yaml_file", "yaml_file_encoding",
}  # fmt: skip

# Methods of models: the new name.
RENAMED_METHODS = {
    "dict": "model_dump",
    "json": "model_dump_json",
    "copy": "model_copy",
    "construct": "model_construct",
    "parse_obj": "model_validate",
    "parse_raw": "model_validate_json",
    "from_orm": "model_validate",
    "schema": "model_json_schema",
    "validate": "model_validate",
    "update_forward_refs": "model_rebuild",
    "__fields__": "model_fields",
    "__fields_set__": "model_fields_set",
}

# Functions that make constrained types, and the types.
CONSTRAINED = {
    "pydantic.conint": "builtins.int",
    "pydantic.confloat": "builtins.float",
    "pydantic.constr": "builtins.str",
    "pydantic.conbytes": "builtins.bytes",
    "pydantic.conlist": "builtins.list",
    "pydantic.conset": "builtins.set",
    "pydantic.confrozenset": "builtins.frozenset",
    "pydantic.condecimal": "decimal.Decimal",
    "pydantic.condate": "datetime.date",
}
CONSTRAINTS = frozenset(
    {
        "strict", "gt", "ge", "lt", "le", "multiple_of", "allow_inf_nan", "min_length", "max_length",
        "pattern", "max_digits", "decimal_places", "strip_whitespace", "to_upper", "to_lower",
    }
)  # fmt: skip
# ... of which `Field` does not take these.
STRING_CONSTRAINTS = frozenset({"strip_whitespace", "to_upper", "to_lower"})
RENAMED_CONSTRAINTS = {"regex": "pattern", "min_items": "min_length", "max_items": "max_length"}

# Names of `pydantic` that show for which generation a file is written.
FIRST_ONLY = frozenset(
    {"validator", "root_validator", "Extra", "BaseConfig", "parse_obj_as", "parse_raw_as", "NoneStr",
     "validate_arguments"}
)  # fmt: skip
SECOND_ONLY = frozenset(
    {
        "ConfigDict", "RootModel", "TypeAdapter", "field_validator", "model_validator", "field_serializer",
        "model_serializer", "computed_field", "ValidationInfo", "BeforeValidator", "AfterValidator",
        "StringConstraints",
    }
)  # fmt: skip
