"""Stores a file in a server and prints the URL of the output of a job that retrieves it: large_output.py ENDPOINT FILE"""
import sys
import time

import boto3

endpoint, path = sys.argv[1:]
glacier = boto3.client("glacier", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
glacier.create_vault(vaultName="large")
with open(path, "rb") as body:
    archive = glacier.upload_archive(vaultName="large", body=body)["archiveId"]
parameters = {"Type": "archive-retrieval", "ArchiveId": archive}
job = glacier.initiate_job(vaultName="large", jobParameters=parameters)["jobId"]
while not glacier.describe_job(vaultName="large", jobId=job)["Completed"]:
    time.sleep(0.1)
print(f"{endpoint}/-/vaults/large/jobs/{job}/output")
