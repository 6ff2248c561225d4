from common.service import run
from gateway.app import main

if __name__ == "__main__":
    run(main)
