"""``/docs``: the exchange API with a first call that works, and what each error code means; ``/v1/openapi.json``."""

from typing import Any

from litestar import Request, Response, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from motma import __version__
from motma.web.pages import render

openapi = OpenAPIConfig(
    title="Một Mã",
    version=__version__,
    description="One health declaration, one code per citizen, valid on every platform and at every checkpoint.",
    path="/v1",
    render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    use_handler_docstrings=True,
    components=Components(
        security_schemes={
            "platform": SecurityScheme(type="http", scheme="bearer", description="A platform's access token"),
            "device": SecurityScheme(type="apiKey", name="motma_device", security_scheme_in="cookie"),
            "shift": SecurityScheme(type="apiKey", name="motma_shift", security_scheme_in="cookie"),
        }
    ),
)


@get("/docs", include_in_schema=False)
async def docs(request: Request[Any, Any, Any]) -> Response[str]:
    """The first call, and where the rest is described."""
    return render(request, "docs/index.html")
