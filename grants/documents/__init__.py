"""Paper: HTML in, PDF out; files kept by their hash.

    files.store(content, name=…, allowed={"pdf"}, max_bytes=…) -> StoredFile      files.open_file(sha256), files.read_file(sha256)
    download.download(stored, name=…) -> response                                   pdf.render_pdf(template, context, …) -> bytes
    capitals.capitals(amount) -> 「人民币…元整」                                      contract_data.ContractData

Not re-exported here: an app's package is imported before its models are ready.
"""
