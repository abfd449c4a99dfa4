from functools import lru_cache

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ORDERS_")

    database_url: str = "sqlite+aiosqlite:///orders.sqlite3"
    payment_url: str = "https://payments.shop.example/charges"
    jwt_secret: str = "Zr8!kQ2#mV5^tX9@wB3&"


@lru_cache
def get_settings() -> Settings:
    return Settings()
