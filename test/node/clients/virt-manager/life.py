# A life of a guest by virt-manager's dialogs: python3 life.py URI POOL_FOLDER. Runs in a D-Bus session, on an X server.
# It prints a word at each place where the test looks at the node, and waits for a line of input.
import os
import subprocess
import sys

from windows import CHECKED, SENSITIVE, answer, answer_if_asked, wait, window
from wizard import import_disk, install_by_hand, install_from_media

NAME = "life-manager"
CLONE = f"{NAME}-clone"
MEDIA = "life-media"
BARE = "life-bare"
SNAPSHOT = "life-snapshot"


def look(word):
    print(word, flush=True)
    sys.stdin.readline()


def open_connection():
    manager = window("^Virtual Machine Manager")
    manager.select("^QEMU/KVM")
    manager.click("^Connection Details", "menu item", hidden=True)
    return window("Connection Details")


def make_pool(host, folder):
    host.open_tab("^Storage")
    host.click("^pool-add$")
    new = window("Add a New Storage Pool")
    new.put("^Name:", "life-pool")
    path = wait(lambda: next((x for x in new.all("^$", "text") if x.text.startswith("/")), None), "the folder")
    path.write(folder)
    new.click("^Finish$")
    new.wait_until_gone()
    host.select("^life-pool")
    # virt-manager may read a new pool's state before it starts, and does not ask again: the test refreshes the pool.
    look("pool")
    for name in ("guest", "extra"):
        make_volume(host, name)


def make_volume(host, name):
    host.click("^vol-new$")
    new = window("Add a Storage Volume")
    new.put("^Name:", name)
    new.choose("^Format:|^qcow2", "^raw$")
    new.put("^Capacity:", 0.01)
    new.click("^Finish$")
    new.wait_until_gone()
    host.find(f"^{name}.img", "table cell")


def make_network(host):
    host.open_tab("^Virtual Networks")
    host.click("^net-add$")
    new = window("Create a new virtual network")
    new.put("Net Name", "life-net")
    new.choose("^net-mode$", "^Isolated$")
    new.click("^Finish$")
    new.wait_until_gone()
    host.select("^life-net")


def add_hardware(guest, page, fill):
    guest.click("^add-hardware$")
    new = window("Add New Virtual Hardware")
    new.select(f"^{page}$")
    fill(new)
    new.click("^Finish$")
    new.wait_until_gone()


def fill_disk(folder):
    def fill(new):
        new.click("^Select or create", "radio button")
        new.put("^storage-entry$", f"{folder}/extra.img")

    return fill


def change(guest, page, fill):
    guest.select(f"^{page}")
    fill(guest)
    guest.click("^config-apply$")
    answer_if_asked("^These changes will take effect", guest.find("^config-apply$"))


def take_snapshot(guest, name):
    guest.click("^Snapshots$", "radio button")
    guest.click("^snapshot-add$")
    new = window("Create snapshot")
    new.put("^Name:", name)
    new.click("^Finish$")
    new.wait_until_gone()
    guest.select(f"^{name}\n")


def delete_snapshot(guest, name):
    guest.click("^snapshot-delete$")
    answer("permanently delete the selected snapshots", "Yes")
    wait(lambda: not list(guest.all(f"^{name}\n", "table cell")), f"the snapshot {name} to be gone")
    guest.click("^Details$", "radio button")


def force_off(guest):
    guest.click("^Force Off", "menu item", hidden=True)
    answer("force", "Yes")
    wait(lambda: guest.find("^Run$").has(SENSITIVE), "the guest to be off")


def remove_disk(guest):
    guest.select("^VirtIO Disk 2")
    guest.click("^config-remove$")
    asked = window("^Remove Disk Device|^Delete")
    choose_storage(asked, False)
    asked.click("^(Delete|Remove)$")
    asked.wait_until_gone()
    wait(lambda: not list(guest.all("^VirtIO Disk 2", "table cell")), "one disk")


def choose_storage(asked, deletes):
    box = asked.find("^Delete associated storage", "check box")
    if box.has(CHECKED) != deletes:
        box.act()
    wait(lambda: box.has(CHECKED) == deletes, "the choice about storage")


def clone(guest):
    guest.click("^Clone", "menu item", hidden=True)
    new = window("^Clone Virtual Machine")
    new.click("^Clone$")
    new.wait_until_gone()
    window("^Virtual Machine Manager").find(f"^{CLONE}\n", "table cell")


def delete(name, with_storage):
    manager = window("^Virtual Machine Manager")
    manager.select(f"^{name}\n")
    manager.click("^Delete$", "menu item", hidden=True)
    asked = window("^Delete Virtual Machine")
    choose_storage(asked, with_storage)
    asked.click("^Delete$")
    if with_storage:
        answer("sure you want to delete the storage", "Yes")
    asked.wait_until_gone()
    wait(lambda: not list(manager.all(f"^{name}\n", "table cell")), f"{name} to be gone")


def install_others(folder):
    guest = install_from_media(MEDIA, "extra.img", 0.01)
    look("installed")
    force_off(guest)
    look("ejected")
    delete(MEDIA, True)
    install_by_hand(BARE, lambda guest: change(guest, "Boot Options", fill_kernel(folder)))
    look("booted")
    # Of a running guest, which is destroyed first.
    delete(BARE, False)
    look("released")


def fill_kernel(folder):
    def fill(page):
        page.click("^Direct kernel boot", "toggle button")
        page.click("^Enable direct kernel boot", "check box")
        page.put("^Kernel path", f"{folder}/kernel")
        page.put("^Initrd path", f"{folder}/initrd")
        page.put("^Kernel args", "life=1")

    return fill


def delete_stores(host):
    host.open_tab("^Storage")
    host.select("^life-pool")
    host.click("^vol-refresh$")
    wait(lambda: not list(host.all("^guest.img", "table cell")), "guest.img to be gone")
    for volume in ("extra.img", "guest-clone.img"):
        cell = host.select(f"^{volume}")
        host.click("^vol-delete$")
        answer("permanently delete the volume", "Yes")
        wait(lambda: not list(host.all(f"^{volume}", "table cell")), f"{volume} to be gone")
    host.click("^pool-stop$")
    host.click("^pool-delete$")
    answer("permanently delete the pool", "Yes")
    wait(lambda: not list(host.all("^life-pool", "table cell")), "the pool to be gone")
    host.open_tab("^Virtual Networks")
    host.select("^life-net")
    host.click("^net-stop$")
    host.click("^net-delete$")
    answer("permanently delete the network", "Yes")
    wait(lambda: not list(host.all("^life-net", "table cell")), "the network to be gone")


def live(folder):
    host = open_connection()
    make_pool(host, folder)
    make_network(host)
    look("made")
    # The same of a network: the test has started it anew.
    wait(lambda: host.find("^net-stop$").has(SENSITIVE), "the network to be active")
    guest = import_disk(NAME, "guest.img")
    look("running")
    guest.click("^Details$", "radio button")
    add_hardware(guest, "Storage", fill_disk(folder))
    add_hardware(guest, "Network", lambda new: None)
    look("plugged")
    change(guest, "Memory", lambda page: page.put("^Memory Select", 48.0))
    change(guest, "Boot Options", lambda page: page.click("^Start virtual machine", "check box"))
    take_snapshot(guest, SNAPSHOT)
    look("snapshot")
    delete_snapshot(guest, SNAPSHOT)
    look("merged")
    force_off(guest)
    look("off")
    remove_disk(guest)
    clone(guest)
    look("cloned")
    delete(CLONE, False)
    delete(NAME, True)
    install_others(folder)
    delete_stores(host)


def main(uri, folder):
    # virt-manager's own messages would mix with those of the test.
    with open("virt-manager.log", "wb") as log:
        program = subprocess.Popen(
            ["virt-manager", "--no-fork", "--debug", "-c", uri],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "GSETTINGS_BACKEND": "memory"},
        )
        try:
            live(folder)
        finally:
            program.terminate()
            program.wait()


main(*sys.argv[1:])
