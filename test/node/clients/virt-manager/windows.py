# Windows of a program, by the protocol of AT-SPI on its D-Bus. Nothing is cached, and every wait is for a condition.
# https://gitlab.gnome.org/GNOME/at-spi2-core/-/tree/main/xml
import re
import time

from gi.repository import Gio, GLib

LIMIT_S = 120
CALL_MS = 10_000
ATSPI = "org.a11y.atspi."
# Numbers of AtspiStateType.
CHECKED, SELECTED, SENSITIVE, SHOWING = 4, 23, 24, 25
# AtspiRelationType.
LABELLED_BY = 2
# Actions of a cell of a table: "expand or contract", "edit", "activate".
ACTIVATE = 2


def connect(address, flags=Gio.DBusConnectionFlags.NONE):
    flags |= Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
    return Gio.DBusConnection.new_for_address_sync(address, flags, None, None)


def bus():
    session = Gio.bus_get_sync(Gio.BusType.SESSION)
    address = session.call_sync(
        "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress", None, None, 0, CALL_MS, None
    ).unpack()[0]
    return connect(address, Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)


BUS = bus()
# Connections of what was clicked, which stay until the end.
ACTS = []


class Node:
    """One object of a program: a window, a button, a cell."""

    def __init__(self, reference):
        self.name_on_bus, self.path = reference

    def call(self, interface, method, arguments=None):
        return BUS.call_sync(
            self.name_on_bus, self.path, ATSPI + interface, method, arguments, None, 0, CALL_MS, None
        ).unpack()

    def get(self, interface, name):
        words = GLib.Variant("(ss)", (ATSPI + interface, name))
        return BUS.call_sync(
            self.name_on_bus, self.path, "org.freedesktop.DBus.Properties", "Get", words, None, 0, CALL_MS, None
        ).unpack()[0]

    @property
    def name(self):
        return self.get("Accessible", "Name")

    @property
    def role(self):
        return self.call("Accessible", "GetRoleName")[0]

    @property
    def children(self):
        return [Node(reference) for reference in self.call("Accessible", "GetChildren")[0]]

    @property
    def label(self):
        """Name of the label that stands before it."""
        for kind, targets in self.call("Accessible", "GetRelationSet")[0]:
            if kind == LABELLED_BY:
                return Node(targets[0]).name
        return ""

    @property
    def text(self):
        return self.call("Text", "GetText", GLib.Variant("(ii)", (0, -1)))[0]

    def has(self, state):
        words = self.call("Accessible", "GetState")[0]
        return bool(words[state // 32] >> (state % 32) & 1)

    def walk(self, hidden):
        """The object and those in it; without `hidden`, only those that are shown."""
        if not hidden and not self.has(SHOWING):
            return
        yield self
        for child in self.children:
            yield from child.walk(hidden)

    def all(self, name, role=None, hidden=False):
        """Objects whose name or label matches, of these roles."""
        for node in self.children:
            for found in node.walk(hidden):
                if role is not None and re.fullmatch(role, found.role) is None:
                    continue
                if name is None or re.search(name, found.name or found.label):
                    yield found

    def find(self, name, role=None, hidden=False):
        return wait(lambda: next(self.all(name, role, hidden), None), f"{role or 'object'} {name}")

    def act(self, number=0):
        """Does what a click would, as soon as the object may be clicked."""
        wait(lambda: self.has(SENSITIVE), f"{self.name} to be sensitive")
        root = Node((self.name_on_bus, "/org/a11y/atspi/accessible/root"))
        # A question that the click opens runs a main loop in it, which reads nothing more of this connection.
        own = connect(root.call("Application", "GetApplicationBusAddress")[0])
        own.call(None, self.path, ATSPI + "Action", "DoAction", GLib.Variant("(i)", (number,)), None, 0, -1, None)
        own.flush_sync()
        ACTS.append(own)

    def click(self, name, role="button", hidden=False):
        self.find(name, role, hidden).act()

    def write(self, text):
        self.call("EditableText", "SetTextContents", GLib.Variant("(s)", (text,)))

    def put(self, name, value, role="text|spin button"):
        """Gives a field its text, or its number."""
        field = self.find(name, role)
        if isinstance(value, str):
            field.write(value)
            return
        words = GLib.Variant("(ssv)", (ATSPI + "Value", "CurrentValue", GLib.Variant("d", value)))
        BUS.call_sync(
            field.name_on_bus, field.path, "org.freedesktop.DBus.Properties", "Set", words, None, 0, CALL_MS, None
        )

    def select(self, name):
        """Selects the row of a cell, or the item of a list."""

        def selected():
            # A list that is filled anew has other cells.
            cell = next(self.all(name, "table cell"), None)
            if cell is None:
                return None
            cell.call("Component", "GrabFocus")
            return cell if cell.has(SELECTED) else None

        return wait(selected, f"{name} to be selected")

    def open_tab(self, name):
        tab = self.find(name, "page tab")
        parent = Node(tab.get("Accessible", "Parent"))
        at = [child.path for child in parent.children].index(tab.path)
        parent.call("Selection", "SelectChild", GLib.Variant("(i)", (at,)))

    def choose(self, name, item):
        """Chooses an item of a combo box."""
        self.find(name, "combo box").find(item, "menu item", hidden=True).act()

    def wait_until_gone(self):
        def is_gone():
            try:
                return not self.has(SHOWING)
            except GLib.Error:
                return True

        wait(is_gone, "a window to close")


def windows():
    """The program's windows that are shown."""
    desktop = Node(("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root"))
    programs = [program for program in desktop.children if program.name == "virt-manager"]
    return [window for program in programs for window in program.children if window.has(SHOWING)]


def window(name):
    return wait(lambda: next((w for w in windows() if re.search(name, w.name)), None), f"window {name}")


def alert(words):
    """A question or an error, with these words."""

    def is_alert(found):
        return found.role in ("alert", "dialog") and any(
            re.search(words, label.text) for label in found.all(None, "label")
        )

    return wait(lambda: next(filter(is_alert, windows()), None), f"alert {words}")


def answer(words, button):
    """Answers a question."""
    found = alert(words)
    found.click(f"^{button}$")
    found.wait_until_gone()


def answer_if_asked(words, button):
    """Closes a message with these words if it comes before the button has done its work."""
    def is_done():
        asked = [w for w in windows() if w.role == "alert" and any(re.search(words, x.text) for x in w.all(None, "label"))]
        for found in asked:
            found.click("^(Close|OK)$")
            found.wait_until_gone()
        return bool(asked) or not button.has(SENSITIVE)

    wait(is_done, "changes to be applied")


def wait(condition, what):
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            found = condition()
            if found:
                return found
        except GLib.Error:
            # An object is gone, or the program is busy.
            pass
        if time.monotonic() > deadline:
            raise RuntimeError(f"no {what} in: {shown()}")
        time.sleep(0.1)


def shown():
    """What the windows say, for an error."""
    try:
        return [(w.role, w.name, [label.text for label in w.all(None, "label")]) for w in windows()]
    except GLib.Error as error:
        return error.message
