"""What is said of electronic signatures before production starts: a development CA in use, a level without its authority."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's own name

from grants.documents.signing import authority
from grants.documents.signing.keys import LEVELS


@register(Tags.security, deploy=True)
def check_signing(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Asked by `check --deploy`; signing itself refuses what is wrong here, this says it before anybody needs a signature."""
    return [*_platform(), *_level()]


def _platform() -> Iterator[CheckMessage]:
    if settings.GUARDED and settings.PLATFORM_CA:
        yield Warning(
            "正式环境打开了 PLATFORM_CA：单位没有证书时用本站的开发 CA 签合同，这样的签名不具第三方认证效力（电子签名法第十六条）。"
            "/ PLATFORM_CA is on in production: contracts may be signed by the development CA, which no third party certifies.",
            hint="用 manage.py ca import 导入正式证书，或设置 EXTERNAL_SIGNER；确要使用时请书面告知各方。"
            "/ Import real certificates or set EXTERNAL_SIGNER; if you mean it, tell the parties in writing.",
            id="gongchuang.W004",
        )
    elif settings.GUARDED and authority.exists():
        yield Warning(
            "数据目录里有开发 CA，正式环境不会用它签署。/ The data folder holds a development CA; production will not sign with it.",
            hint="不再需要时移走 keys/signing/ca。/ Move keys/signing/ca away when it is no longer needed.",
            id="gongchuang.W005",
        )


def _level() -> Iterator[CheckMessage]:
    if settings.SIGN_LEVEL not in LEVELS or (settings.SIGN_LEVEL != "B-B" and not settings.TSA_URL):
        yield Error(
            f"SIGN_LEVEL={settings.SIGN_LEVEL} 不能用：只能是 {'、'.join(LEVELS)}，B-T 以上需要 TSA_URL。/ SIGN_LEVEL cannot be used.",
            hint="设置 TSA_URL，或改为 B-B。/ Set TSA_URL, or use B-B.",
            id="gongchuang.E020",
        )
    if settings.GUARDED and settings.TSA_URL and not settings.TSA_URL.startswith("https://"):
        yield Error(
            "TSA_URL 不是 https 地址。/ TSA_URL is not an https address.",
            hint="填写时间戳服务的 https 地址。/ Give the timestamp authority's https address.",
            id="gongchuang.E021",
        )
