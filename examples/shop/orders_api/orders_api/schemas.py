from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, conint, constr, field_validator, validator


class LineIn(BaseModel):
    sku: constr(min_length=3, max_length=40)
    quantity: conint(gt=0, le=100)

    @validator("sku")
    def sku_is_upper_case(cls, value):
        return value.upper()


class OrderIn(BaseModel):
    customer_id: int
    lines: list[LineIn] = Field(min_length=1)
    coupon: str = ""
    note: str = None

    @classmethod
    @field_validator("coupon")
    def coupon_has_no_spaces(cls, value):
        return value.replace(" ", "")


class LineOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    sku: str
    quantity: int


class OrderOut(BaseModel):
    class Config:
        orm_mode = True
        allow_population_by_field_name = True

    id: int
    reference: str
    status: str
    placed_at: datetime = Field(alias="placedAt")

    @field_validator("status")
    @classmethod
    def status_is_lower_case(cls, value: str) -> str:
        return value.lower()


class OrderEvent(BaseModel):
    order_id: int
    kind: str
    at: datetime = Field(default_factory=datetime.utcnow)
    received_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
