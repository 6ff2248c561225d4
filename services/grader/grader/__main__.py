from common.service import run
from grader.app import main

run(main)
