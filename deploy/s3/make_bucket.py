"""Makes the bucket of the artifact store where there is none (compose.s3.yml)."""

import sys

import s3fs


def main(name: str) -> None:
    s3fs.S3FileSystem(use_listings_cache=False).makedirs(name, exist_ok=True)


if __name__ == "__main__":
    main(sys.argv[1])
