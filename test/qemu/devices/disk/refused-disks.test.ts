import { describe, test } from "bun:test";
import { expectRefusal, type Row } from "../../refused.ts";

// qemu_validate.c and domain_validate.c of libvirt refuse each of them.
describe("formatArgv() and storedDomain() refuse a disk", () => {
  const shared = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>";
  const rows: readonly Row[] = [
    [
      "<disk type='vhostuser' device='disk' snapshot='internal'><driver type='raw'/><source type='unix' path='/s'/><target dev='vda' bus='virtio'/></disk>",
      "disk[1]/@snapshot",
      shared,
    ],
    [
      "<disk type='vhostuser'><driver ioeventfd='on'/><source type='unix' path='/s'/><target dev='vda'/></disk>",
      "disk[1]/driver",
      shared,
    ],
    [
      "<disk type='vhostuser'><driver queues='1'/><source type='unix' path='/s'/><backingStore/><target dev='vda'/></disk>",
      "disk[1]/driver",
      shared,
    ],
    ["<disk type='dir'><driver type='fat'/><source dir='/d'/><target dev='vda'/></disk>", "disk[1]/readonly"],
    [
      "<disk type='dir'><driver type='raw'/><source dir='/d'/><target dev='vda'/><readonly/></disk>",
      "disk[1]/driver/@type",
    ],
    ["<disk><driver type='fat'/><source file='/d'/><target dev='vda'/></disk>", "disk[1]/driver/@type"],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='sda' bus='scsi'/><address type='drive' controller='0' bus='1' target='0' unit='0'/></disk>",
      "disk[1]/address",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='sda' bus='scsi'/><address type='drive' controller='0' bus='0' target='1' unit='0'/></disk><controller type='scsi' index='0' model='lsilogic'/>",
      "disk[1]/address",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='hda' bus='ide'/><address type='drive' controller='1' bus='0' target='0' unit='0'/></disk>",
      "disk[1]/address",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='hda' bus='ide'/><address type='drive' controller='0' bus='0' target='1' unit='0'/></disk>",
      "disk[1]/address",
    ],
    [
      "<disk type='file' device='floppy'><source file='/d'/><target dev='fda' bus='fdc'/><address type='drive' controller='0' bus='1' target='0' unit='0'/></disk>",
      "disk[1]/address",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='sda' bus='sata'/><address type='drive' controller='0' bus='1' target='0' unit='0'/></disk>",
      "disk[1]/address",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='sda' bus='sata'/><address type='drive' controller='0' bus='0' target='1' unit='0'/></disk>",
      "disk[1]/address",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='vda' bus='virtio'/><serial>abc$;</serial></disk>",
      "disk[1]/serial",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='sda' bus='sd'/><serial>abc</serial></disk>",
      "disk[1]/serial",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='vda' bus='virtio'/><geometry cyls='16383' heads='16' secs='63' trans='lba'/></disk>",
      "disk[1]/geometry/@trans",
    ],
    [
      "<disk type='file' device='cdrom'><source file='/d'/><target dev='sda' bus='sd'/></disk>",
      "disk[1]/target/@bus",
    ],
    [
      "<disk type='block' device='lun'><driver type='raw'/><source dev='/d'/><target dev='sda' bus='scsi'/><wwn>5000c50015ea71aa</wwn></disk>",
      "disk[1]/wwn",
    ],
    [
      "<disk type='block' device='lun'><driver type='raw'/><source dev='/d'/><target dev='sda' bus='scsi'/><vendor>x</vendor></disk>",
      "disk[1]/vendor",
    ],
    [
      "<disk type='block' device='lun'><driver type='raw'/><source dev='/d'/><target dev='sda' bus='scsi'/><serial>x</serial></disk>",
      "disk[1]/serial",
    ],
    [
      "<disk type='block' device='lun'><driver type='qcow2'/><source dev='/d'/><target dev='sda' bus='scsi'/></disk>",
      "disk[1]/driver/@type",
    ],
    [
      "<disk type='block' device='lun'><driver type='raw' copy_on_read='on'/><source dev='/d'/><target dev='sda' bus='scsi'/></disk>",
      "disk[1]/driver/@copy_on_read",
    ],
    [
      "<disk type='block' device='lun'><driver type='raw'/><source dev='/d'><slices><slice type='storage' offset='0' size='1'/></slices></source><target dev='sda' bus='scsi'/></disk>",
      "disk[1]/source/slices",
    ],
    [
      "<disk type='file' device='cdrom'><source file='/d'/><target dev='sda' bus='scsi' rotation_rate='7200'/></disk>",
      "disk[1]/target/@rotation_rate",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='vda' bus='virtio'/><iotune><group_name>a</group_name></iotune></disk>",
      "disk[1]/iotune/group_name",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='sda' bus='sd'/><iotune><total_bytes_sec>1</total_bytes_sec></iotune></disk>",
      "disk[1]/iotune",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='vda' bus='virtio'/><iotune><total_bytes_sec>1</total_bytes_sec><group_name>a</group_name></iotune></disk><disk type='file' device='disk'><source file='/d'/><target dev='vdb' bus='virtio'/><iotune><total_bytes_sec>2</total_bytes_sec><group_name>a</group_name></iotune></disk>",
      "disk[1]/iotune/group_name",
    ],
    [
      "<disk type='block' device='disk'><source dev='/d'/><target dev='vda' bus='virtio'/><transient/></disk>",
      "disk[1]/transient",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='hda' bus='ide'/><transient shareBacking='yes'/></disk>",
      "disk[1]/transient/@shareBacking",
    ],
    [
      "<disk type='file' device='disk'><driver type='qcow'/><source file='/d'/><target dev='vda' bus='virtio'/><shareable/></disk>",
      "disk[1]/shareable",
    ],
    [
      "<disk type='file' device='disk'><driver type='vmdk'/><source file='/d'/><target dev='vda' bus='virtio'/><shareable/></disk>",
      "disk[1]/shareable",
    ],
    [
      "<disk type='vhostvdpa' device='disk'><driver type='raw' cache='none'/><source dev='/dev/vhost-vdpa-0'/><target dev='vda' bus='virtio'/></disk>",
      "disk[1]/@type",
    ],
    [
      "<disk type='vhostvdpa' device='disk'><driver type='raw'/><source dev='/dev/vhost-vdpa-0'/><target dev='vda' bus='virtio'/></disk>",
      "disk[1]/driver/@cache",
      "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
    ],
    [
      "<disk type='block' device='disk'><driver type='raw'/><source dev='/d'><reservations managed='yes'/></source><target dev='sda' bus='scsi'/></disk>",
      "disk[1]/source/reservations",
    ],
    [
      "<disk type='block' device='disk' rawio='yes'><driver type='raw'/><source dev='/d'/><target dev='sda' bus='scsi'/></disk>",
      "disk[1]/@rawio",
    ],
    [
      "<disk type='block' device='disk' sgio='filtered'><driver type='raw'/><source dev='/d'/><target dev='sda' bus='scsi'/></disk>",
      "disk[1]/@sgio",
    ],
    [
      "<disk type='network' device='disk'><driver type='raw'/><auth username='a'><secret type='iscsi' usage='u'/></auth><source protocol='nbd' name='x'><host name='h'/></source><target dev='vda' bus='virtio'/></disk>",
      "disk[1]/auth",
    ],
    [
      "<disk type='file' device='disk'><source file='/d' startupPolicy='requisite'/><target dev='vda' bus='virtio'/></disk>",
      "disk[1]/source/@startupPolicy",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='vda' bus='virtio' tray='open'/></disk>",
      "disk[1]/target/@tray",
    ],
    [
      "<disk type='file' device='cdrom'><source file='/d'/><target dev='sda' bus='scsi' removable='on'/></disk>",
      "disk[1]/target/@removable",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='fda' bus='virtio'/></disk>",
      "disk[1]/target/@dev",
    ],
    [
      "<disk type='file' device='floppy'><source file='/d'/><target dev='sda' bus='fdc'/></disk>",
      "disk[1]/target/@dev",
    ],
    [
      "<disk type='file' device='disk'><driver type='raw'/><source file='/d'/><target dev='vda' bus='virtio'/><encryption format='luks'><secret type='passphrase' uuid='c7a5fdbd-edaf-9455-926a-d65c16db1809'/><cipher name='aes' size='256' mode='cbc'/></encryption></disk>",
      "disk[1]/encryption/cipher",
    ],
    ["<disk type='file' device='cdrom'><target dev='sda' bus='usb'/></disk>", "disk[1]/source"],
    [
      "<disk type='block' device='lun'><driver type='raw'/><source dev='/d'/><blockio logical_block_size='512'/><target dev='sda' bus='scsi'/></disk>",
      "disk[1]/blockio",
    ],
    [
      "<disk type='file' device='disk'><driver type='raw'/><source file='/d'/><target dev='vda' bus='virtio'/><encryption format='luks2'><secret type='passphrase' uuid='c7a5fdbd-edaf-9455-926a-d65c16db1809'/></encryption></disk>",
      "disk[1]/encryption/@format",
    ],
  ];
  for (const row of rows) test(`${row[1]} of ${row[0]}`, () => expectRefusal(row));
});
