# Ways to make a guest by the wizard of virt-manager.
from windows import ACTIVATE, wait, window


def import_disk(name, volume):
    new = open_wizard("^Import")
    choose_volume(new, "^install-import-browse$", volume)
    describe(new)
    new.put("^Name:", name)
    return finish(new, name)


def install_from_media(name, volume, disk_gib):
    """The medium is a volume, the disk a new one in the default pool."""
    new = open_wizard("^Local install media")
    choose_volume(new, "^install-iso-browse$", volume)
    # It looks for a system on this machine only, but always empties the field afterwards.
    wait(lambda: new.find("oslist-entry").text == "None detected", "the end of the search for a system")
    describe(new)
    new.put("GiB", disk_gib, "spin button")
    new.click("^Forward$")
    new.put("^Name:", name)
    return finish(new, name)


def install_by_hand(name, customize):
    """Without a medium and storage. `customize` changes the guest in its window before it starts."""
    new = open_wizard("^Manual")
    describe(new)
    new.click("^Enable storage", "check box")
    new.click("^Forward$")
    new.put("^Name:", name)
    new.click("^Customize", "check box")
    new.click("^Finish$")
    guest = window(f"^{name} on")
    customize(guest)
    guest.click("Begin Installation")
    guest.wait_until_gone()
    return window(f"^{name} on")


def open_wizard(way):
    window("^Virtual Machine Manager").click("^New$")
    new = window("New VM")
    new.click(way, "radio button")
    new.click("^Forward$")
    return new


def choose_volume(new, button, volume):
    new.click(button)
    browser = window("vmm-storage-browser")
    browser.select("^life-pool")
    browser.select(f"^{volume}")
    browser.click("^Choose Volume$")
    browser.wait_until_gone()


def describe(new):
    """Chooses the system and the memory."""
    system = new.find("oslist-entry")
    system.write("generic")
    new.find("oslist-popover").select(r"\(linux2024\)").act(ACTIVATE)
    wait(lambda: "2024" in system.text, "the chosen system")
    new.click("^Forward$")
    new.put("^$", 64.0, "spin button")
    new.click("^Forward$")


def finish(new, name):
    new.click("^Finish$")
    new.wait_until_gone()
    return window(f"^{name} on")
