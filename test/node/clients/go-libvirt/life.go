// Life of a guest by go-libvirt, the library of Terraform's provider. It reaches the node as the provider does with a node that has
// virt-ssh-helper.
//
// Prints a word at each point where the test looks at the node, and goes on at a line of input. Prints the events at its end.
// Arguments: the host for ssh, the guest's UUID, the folder of the pool, the file of an image.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/digitalocean/go-libvirt"
)

// session is a command over SSH as a connection.
type session struct {
	io.ReadCloser
	io.WriteCloser
	command *exec.Cmd
}

func (s *session) Close() error {
	s.WriteCloser.Close()
	return s.command.Wait()
}
func (s *session) LocalAddr() net.Addr              { return &net.UnixAddr{} }
func (s *session) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (s *session) SetDeadline(time.Time) error      { return nil }
func (s *session) SetReadDeadline(time.Time) error  { return nil }
func (s *session) SetWriteDeadline(time.Time) error { return nil }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func get[Value any](value Value, err error) Value {
	must(err)
	return value
}

var input = bufio.NewReader(os.Stdin)

func look(word string) {
	fmt.Println(word)
	input.ReadString('\n')
}

func connect(host string) *libvirt.Libvirt {
	command := exec.Command("ssh", host, `virt-ssh-helper "qemu:///system"`)
	command.Stderr = os.Stderr
	in, out := get(command.StdinPipe()), get(command.StdoutPipe())
	must(command.Start())
	l := libvirt.New(&session{out, in, command})
	must(l.ConnectToURI(libvirt.QEMUSystem))
	return l
}

// watch collects the lifecycle events of all domains.
func watch(l *libvirt.Libvirt) func() string {
	context, cancel := context.WithCancel(context.Background())
	channel := get(l.LifecycleEvents(context))
	var seen []string
	var group sync.WaitGroup
	group.Add(1)
	go func() {
		defer group.Done()
		for event := range channel {
			seen = append(seen, fmt.Sprintf("%d.%d", event.Event, event.Detail))
			// The last one: undefined.
			if event.Event == 1 {
				return
			}
		}
	}()
	return func() string {
		group.Wait()
		cancel()
		return strings.Join(seen, " ")
	}
}

func main() {
	host, uuid, folder, image := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	l := connect(host)
	pool := get(l.StoragePoolDefineXML(fmt.Sprintf(
		"<pool type='dir'><name>life-pool</name><target><path>%s</path></target></pool>", folder), 0))
	must(l.StoragePoolBuild(pool, 0))
	must(l.StoragePoolCreate(pool, 0))
	data := get(os.ReadFile(image))
	for _, name := range []string{"guest.img", "extra.img"} {
		volume := get(l.StorageVolCreateXML(pool, fmt.Sprintf("<volume><name>%s</name>"+
			"<capacity unit='MiB'>1</capacity><target><format type='raw'/></target></volume>", name), 0))
		must(l.StorageVolUpload(volume, bytes.NewReader(data), 0, uint64(len(data)), 0))
	}
	network := get(l.NetworkDefineXML("<network><name>life-net</name><bridge name='virbr79'/>" +
		"<ip address='192.168.179.1' netmask='255.255.255.0'>" +
		"<dhcp><range start='192.168.179.2' end='192.168.179.99'/></dhcp></ip></network>"))
	must(l.NetworkCreate(network))
	look("made")
	ended := watch(l)
	domain := get(l.DomainDefineXML(fmt.Sprintf(`<domain type='qemu'><name>life-go</name><uuid>%s</uuid>
<memory unit='MiB'>32</memory><os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features><devices>
<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='life-pool' volume='guest.img'/>
<target dev='vda' bus='virtio'/></disk><controller type='usb' model='qemu-xhci'/>
<interface type='network'><source network='life-net'/><model type='virtio'/></interface>
<graphics type='vnc' listen='127.0.0.1'/><video><model type='vga'/></video></devices></domain>`, uuid)))
	must(l.DomainCreate(domain))
	look("running")
	var picture bytes.Buffer
	// go-libvirt has the picture, but looks for its type in the stream's end instead of the reply, with any server.
	_, err := l.DomainScreenshot(domain, &picture, 0, 0)
	if !bytes.HasPrefix(picture.Bytes(), []byte("\x89PNG")) {
		must(fmt.Errorf("no PNG: %d bytes, %v", picture.Len(), err))
	}
	disk := fmt.Sprintf(`<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s/extra.img'/>
<target dev='sda' bus='usb'/></disk>`, folder)
	must(l.DomainAttachDeviceFlags(domain, disk, uint32(libvirt.DomainAffectLive)))
	look("plugged")
	must(l.DomainDetachDeviceFlags(domain, disk, uint32(libvirt.DomainAffectLive)))
	look("unplugged")
	must(l.DomainBlockResize(domain, "vda", 2*1024*1024, libvirt.DomainBlockResizeBytes))
	snapshot := get(l.DomainSnapshotCreateXML(domain, fmt.Sprintf("<domainsnapshot><name>before</name><disks>"+
		"<disk name='vda' snapshot='external'><source file='%s/overlay.qcow2'/></disk></disks></domainsnapshot>", folder),
		uint32(libvirt.DomainSnapshotCreateDiskOnly)))
	look("snapshot")
	must(l.DomainManagedSave(domain, 0))
	look("saved")
	must(l.DomainCreate(domain))
	look("restored")
	must(l.DomainSuspend(domain))
	must(l.DomainResume(domain))
	must(l.DomainDestroy(domain))
	must(l.DomainSnapshotDelete(snapshot, libvirt.DomainSnapshotDeleteMetadataOnly))
	extra := get(l.StorageVolLookupByName(pool, "extra.img"))
	get(l.StorageVolCreateXMLFrom(pool, "<volume><name>clone.img</name></volume>", extra, 0))
	look("off")
	must(l.DomainUndefineFlags(domain, 0))
	must(l.StoragePoolRefresh(pool, 0))
	// An image that another one needs is not deleted.
	for _, name := range []string{"overlay.qcow2", "guest.img", "extra.img", "clone.img"} {
		must(l.StorageVolDelete(get(l.StorageVolLookupByName(pool, name)), 0))
	}
	must(l.NetworkDestroy(network))
	must(l.NetworkUndefine(network))
	must(l.StoragePoolDestroy(pool))
	must(l.StoragePoolDelete(pool, 0))
	must(l.StoragePoolUndefine(pool))
	events := ended()
	must(l.Disconnect())
	fmt.Println(events)
}
