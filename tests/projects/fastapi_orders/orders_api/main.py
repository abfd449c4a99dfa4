"""The application."""

from fastapi import APIRouter, Depends, FastAPI

from orders_api.config import API_PREFIX
from orders_api.routers import admin, orders, stock, webhooks
from orders_api.security import trace

app = FastAPI(dependencies=[Depends(trace)])
api = APIRouter(prefix=API_PREFIX)
api.include_router(orders.router)
api.include_router(admin.router, prefix="/admin/{tenant}")
app.include_router(api)
app.include_router(webhooks.router)
app.include_router(stock.router)


@app.get("/health")
async def health(verbose: bool = False) -> str:
    return "ok" if verbose else ""
