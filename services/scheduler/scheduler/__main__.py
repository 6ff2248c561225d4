from common.service import run
from scheduler.app import main

if __name__ == "__main__":
    run(main)
