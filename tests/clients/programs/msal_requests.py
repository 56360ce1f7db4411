"""Files in OneDrive with MSAL and requests, as tutorials show it: msal_requests.py ACTION [ARGUMENT...]"""

import json
import os
import sys
from urllib.parse import quote

import msal
import requests

GRAPH = "https://graph.microsoft.com/v1.0"
SCOPES = ["User.Read", "Files.ReadWrite.All"]
FRAGMENT = 10 * 1024 * 1024
SIMPLE_UPLOAD = 4 * 1024 * 1024
STATE = "state.json"


def load():
    if not os.path.exists(STATE):
        return {}
    with open(STATE) as file:
        return json.load(file)


def save(state):
    with open(STATE, "w") as file:
        json.dump(state, file)


def session():
    """An HTTP session with the token of the cached account, or of a new sign-in."""
    state = load()
    cache = msal.SerializableTokenCache()
    cache.deserialize(state.get("cache", "{}"))
    app = msal.PublicClientApplication(
        os.environ["GRAPH_CLIENT_ID"],
        authority="https://login.microsoftonline.com/" + os.environ["GRAPH_TENANT_ID"],
        token_cache=cache,
    )
    result = None
    for account in app.get_accounts():
        result = app.acquire_token_silent(SCOPES, account=account)
    if not result:
        flow = app.initiate_device_flow(scopes=SCOPES)
        print(flow["message"], file=sys.stderr)
        result = app.acquire_token_by_device_flow(flow)
    if "access_token" not in result:
        sys.exit(f"{result['error']}: {result['error_description']}")
    save({**load(), "cache": cache.serialize()})
    http = requests.Session()
    http.headers["Authorization"] = "Bearer " + result["access_token"]
    return http


def checked(response):
    if not response.ok:
        sys.exit(f"{response.status_code} {response.request.method} {response.url}: {response.text}")
    return response


def address(path):
    return f"{GRAPH}/me/drive/root:/{quote(path)}"


def pages(http, url):
    """All items of a listing, and the address for the next changes, if it is one of changes."""
    items = []
    while url:
        page = checked(http.get(url)).json()
        items += page["value"]
        url = page.get("@odata.nextLink")
    return items, page.get("@odata.deltaLink")


def upload(http, local, path):
    size = os.path.getsize(local)
    if size <= SIMPLE_UPLOAD:
        with open(local, "rb") as file:
            headers = {"Content-Type": "application/octet-stream"}
            checked(http.put(address(path) + ":/content", data=file.read(), headers=headers))
        return
    state = load()
    url = state.get("upload")
    if url is None:
        item = {"item": {"@microsoft.graph.conflictBehavior": "replace"}}
        url = checked(http.post(address(path) + ":/createUploadSession", json=item)).json()["uploadUrl"]
        save({**state, "upload": url})
        start = 0
    else:
        ranges = checked(requests.get(url)).json()["nextExpectedRanges"]
        start = int(ranges[0].split("-")[0])
    with open(local, "rb") as file:
        while start < size:
            file.seek(start)
            data = file.read(FRAGMENT)
            headers = {"Content-Range": f"bytes {start}-{start + len(data) - 1}/{size}"}
            # Pre-authenticated: without the token.
            checked(requests.put(url, data=data, headers=headers))
            start += len(data)
    save({name: value for name, value in load().items() if name != "upload"})


def main(action, *arguments):
    http = session()
    if action == "sign-in":
        checked(http.get(f"{GRAPH}/me"))
    elif action == "list":
        items, _ = pages(http, f"{address(arguments[0])}:/children?$select=name,size&$top=100")
        print("\n".join(item["name"] for item in items))
    elif action == "upload":
        upload(http, *arguments)
    elif action == "upload-folder":
        local, path = arguments
        for name in os.listdir(local):
            upload(http, os.path.join(local, name), f"{path}/{name}")
    elif action == "download":
        path, local = arguments
        url = checked(http.get(address(path))).json()["@microsoft.graph.downloadUrl"]
        with open(local, "wb") as file:
            for chunk in checked(requests.get(url, stream=True)).iter_content(1024 * 1024):
                file.write(chunk)
    elif action == "remove":
        checked(http.delete(address(arguments[0])))
    elif action == "move":
        folder, name = arguments[1].rsplit("/", 1)
        parent = checked(http.get(address(folder))).json()["id"]
        checked(http.patch(address(arguments[0]), json={"name": name, "parentReference": {"id": parent}}))
    elif action == "changes":
        url = load().get("delta", f"{GRAPH}/me/drive/root/delta")
        items, link = pages(http, url)
        save({**load(), "delta": link})
        # A deleted item may come without a name, so remember the names by id.
        known = load().get("names", {})
        for item in items:
            name = item.get("name") or known.get(item["id"], "")
            known[item["id"]] = name
            print(name)
        save({**load(), "names": known})


main(*sys.argv[1:])
