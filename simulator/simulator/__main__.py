import logging
import socket

import uvicorn

from simulator.app import create_app
from simulator.connections import ClosableProtocol
from simulator.settings import Settings
from simulator.stage import Stage

SHUTDOWN_SECONDS = 2

log = logging.getLogger("simulator")


class Server(uvicorn.Server):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        settings = stage.settings
        super().__init__(
            uvicorn.Config(
                create_app(stage),
                host=settings.simulator_host,
                port=settings.simulator_port,
                http=ClosableProtocol,
                ws="none",
                access_log=False,
                log_level="warning",
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Open event streams would keep the server waiting, so they end first."""
        self._stage.live.close()
        await super().shutdown(sockets)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    settings = Settings()
    address = f"http://{settings.simulator_host}:{settings.simulator_port}"
    log.info("Simulator on %s (seed %s)", address, settings.simulator_seed)
    Server(Stage(settings)).run()


if __name__ == "__main__":
    main()
