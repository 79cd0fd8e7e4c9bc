"""Runs the life of a guest by python3-libvirt on $LIBVIRT_DEFAULT_URI.

Prints a word at each point where the test looks at the node, and goes on at a line of input. Prints the events at its end.
Arguments: the guest's UUID, the folder of the pool, the file of an image.
"""
import sys
import threading
import libvirt as v

UUID, FOLDER, IMAGE = sys.argv[1:4]
POOL = f"<pool type='dir'><name>life-pool</name><target><path>{FOLDER}</path></target></pool>"
NET = """<network><name>life-net</name><bridge name='virbr79'/><ip address='192.168.179.1' netmask='255.255.255.0'>
<dhcp><range start='192.168.179.2' end='192.168.179.99'/></dhcp></ip></network>"""
DISK = f"""<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{FOLDER}/extra.img'/>
<target dev='sda' bus='usb'/></disk>"""
GUEST = f"""<domain type='qemu'><name>life-python</name><uuid>{UUID}</uuid><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features><devices>
<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='life-pool' volume='guest.img'/>
<target dev='vda' bus='virtio'/></disk><controller type='usb' model='qemu-xhci'/>
<interface type='network'><source network='life-net'/><model type='virtio'/></interface>
<serial type='pty'/><graphics type='vnc' listen='127.0.0.1'/><video><model type='vga'/></video></devices></domain>"""
SNAPSHOT = f"""<domainsnapshot><name>before</name><disks><disk name='vda' snapshot='external'>
<source file='{FOLDER}/overlay.qcow2'/></disk></disks></domainsnapshot>"""
events = []


def look(word):
    print(word, flush=True)
    sys.stdin.readline()


def on_event(_connection, _domain, event, detail, _opaque):
    events.append(f"{event}.{detail}")


def run_events():
    while True:
        v.virEventRunDefaultImpl()


def upload(name):
    volume = pool.createXML(f"<volume><name>{name}</name><capacity unit='MiB'>1</capacity>"
                            "<target><format type='raw'/></target></volume>")
    data = open(IMAGE, "rb").read()
    stream = c.newStream()
    volume.upload(stream, 0, len(data))
    stream.sendAll(lambda _stream, count, source: source.read(count), open(IMAGE, "rb"))
    stream.finish()
    return volume


def read_console():
    """Has the guest answer y with z."""
    stream = c.newStream(v.VIR_STREAM_NONBLOCK)
    domain.openConsole(None, stream)
    answered = threading.Event()

    def on_stream(stream, _what, _opaque):
        # More answers may come while the stream is aborted.
        if not answered.is_set() and b"z" in stream.recv(1024):
            answered.set()

    stream.eventAddCallback(v.VIR_STREAM_EVENT_READABLE, on_stream, None)
    # The guest may not read yet.
    for _ in range(60):
        stream.send(b"y")
        if answered.wait(1):
            break
    assert answered.is_set()
    stream.eventRemoveCallback()
    stream.abort()


def take_picture():
    stream = c.newStream()
    kind = domain.screenshot(stream, 0)
    picture = bytearray()
    stream.recvAll(lambda _stream, data, _opaque: picture.extend(data), None)
    stream.finish()
    assert kind == "image/png" and picture[1:4] == b"PNG", kind


v.virEventRegisterDefaultImpl()
threading.Thread(target=run_events, daemon=True).start()
c = v.open()
c.setKeepAlive(5, 6)
pool = c.storagePoolDefineXML(POOL)
pool.build()
pool.create()
upload("guest.img")
extra = upload("extra.img")
net = c.networkDefineXML(NET)
net.create()
look("made")
c.domainEventRegisterAny(None, v.VIR_DOMAIN_EVENT_ID_LIFECYCLE, on_event, None)
domain = c.defineXML(GUEST)
domain.create()
look("running")
read_console()
take_picture()
domain.attachDeviceFlags(DISK, v.VIR_DOMAIN_AFFECT_LIVE)
look("plugged")
domain.detachDeviceFlags(DISK, v.VIR_DOMAIN_AFFECT_LIVE)
look("unplugged")
domain.blockResize("vda", 2 * 1024 * 1024, v.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
assert domain.blockInfo("vda")[0] == 2 * 1024 * 1024
domain.snapshotCreateXML(SNAPSHOT, v.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY)
assert domain.snapshotListNames() == ["before"]
look("snapshot")
domain.managedSave()
assert domain.hasManagedSaveImage() == 1
look("saved")
domain.create()
look("restored")
domain.suspend()
domain.resume()
domain.destroy()
domain.snapshotLookupByName("before").delete(v.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)
pool.createXMLFrom("<volume><name>clone.img</name></volume>", extra, 0)
look("off")
domain.undefine()
pool.refresh()
# An image that another one needs is not deleted.
pool.storageVolLookupByName("overlay.qcow2").delete()
for each in pool.listAllVolumes():
    each.delete()
net.destroy()
net.undefine()
pool.destroy()
pool.delete()
pool.undefine()
c.close()
print(" ".join(events), flush=True)
