import logging

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from orders_api.database import Base, engine
from orders_api.routers import orders, reports

logger = logging.getLogger(__name__)
app = FastAPI(title="Orders")
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True, allow_methods=["*"])
app.include_router(orders.router)
app.include_router(reports.router)


@app.on_event("startup")
async def create_tables():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)


@app.on_event("shutdown")
async def close_engine():
    await engine.dispose()
    logger.info("engine closed")
