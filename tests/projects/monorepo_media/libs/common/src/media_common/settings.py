"""What both services know."""

from media_common.naming import full_name

PREFIX = "media"
NAME = full_name("common")
