"""Registers for events as a client does, causes them, and prints them. Needs $LIBVIRT_DEFAULT_URI."""
import threading
import time

import libvirt

libvirt.virEventRegisterDefaultImpl()


def run_loop():
    while True:
        libvirt.virEventRunDefaultImpl()


threading.Thread(target=run_loop, daemon=True).start()
conn = libvirt.open(None)
got = []


def keep(name):
    """Returns a callback that keeps the name and the numbers and texts that it gets."""
    return lambda conn, about, *rest: got.append((name, *rest[:-1]))


# virt-manager registers for these two, and polls if that fails.
conn.nodeDeviceEventRegisterAny(None, libvirt.VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE, keep("device"), None)
conn.nodeDeviceEventRegisterAny(None, libvirt.VIR_NODE_DEVICE_EVENT_ID_UPDATE, keep("update"), None)
conn.secretEventRegisterAny(None, libvirt.VIR_SECRET_EVENT_ID_LIFECYCLE, keep("secret"), None)
conn.secretEventRegisterAny(None, libvirt.VIR_SECRET_EVENT_ID_VALUE_CHANGED, keep("value"), None)
for name in ("JOB_COMPLETED", "TUNABLE", "METADATA_CHANGE"):
    conn.domainEventRegisterAny(None, getattr(libvirt, "VIR_DOMAIN_EVENT_ID_" + name), keep(name), None)

secret = conn.secretDefineXML("<secret ephemeral='yes'><usage type='ceph'><name>p1</name></usage></secret>")
secret.setValue(b"abc")
secret.undefine()
dom = conn.defineXML(
    "<domain type='qemu'><name>vm1</name><memory unit='MiB'>64</memory>"
    "<os><type>hvm</type></os><seclabel type='none'/></domain>"
)
dom.create()
dom.pinVcpu(0, (True,))
dom.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, "one", None, None)
dom.managedSave()
# The last event.
end = time.monotonic() + 60
while not any(event[0] == "JOB_COMPLETED" for event in got) and time.monotonic() < end:
    time.sleep(0.1)
for event in got:
    if event[0] == "JOB_COMPLETED":
        event = ("JOB_COMPLETED", event[1]["operation"], event[1]["data_remaining"])
    print(*event)
print("type", dom.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED)["type"])
dom.managedSaveRemove()
dom.undefine()
