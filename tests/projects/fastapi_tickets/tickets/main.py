"""The application."""

from fastapi import APIRouter, FastAPI

from tickets.routes import agents, tickets

api = APIRouter()
api.include_router(tickets.router)
late = APIRouter(prefix="/late")
early = APIRouter(prefix="/early")

app = FastAPI()
app.include_router(api)
app.include_router(tickets.router)  # PB311
app.include_router(agents.router)
app.include_router(agents.secrets)
app.include_router(agents.numbers)  # PB310
app.include_router(late)


@late.get("/")  # PB312
def nobody_comes() -> str:
    return "late"


@early.get("/")
def somebody_comes() -> str:
    return "early"


app.include_router(early)
