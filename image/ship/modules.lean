# Kernel modules of the product's image, lean set: virtio, and hardware of common servers and PCs. As in ../modules:
# "boot" are loaded by the initramfs, "load" by the start-up, "keep" on request of the hardware or of svirt.
boot loop
boot squashfs
load kvm_intel
load kvm_amd
load tun
load vhost_net
load qemu_fw_cfg
load bridge
# Guests of a hypervisor, and tests.
keep virtio_net
keep virtio_blk
keep virtio_scsi
keep virtio_rng
keep virtio_console
# Network cards.
keep e1000
keep e1000e
keep igb
keep igc
keep ixgbe
keep i40e
keep r8169
keep tg3
keep bnxt_en
# Disks.
keep ahci
keep ata_piix
keep nvme
keep megaraid_sas
keep mpt3sas
keep sd_mod
keep sr_mod
keep sg
keep usb_storage
keep uas
# USB, for keyboards and for devices passed to guests.
keep xhci_pci
keep ehci_pci
keep uhci_hcd
keep ohci_pci
keep hid_generic
keep usbhid
# File systems and devices for images.
keep ext4
keep vfat
keep nls_ascii
keep nls_cp437
keep isofs
keep overlay
keep nfsv3
keep nfsv4
keep nbd
keep dm_mod
keep dm_crypt
keep iscsi_tcp
keep aesni_intel
keep xts
keep crc32c_intel
# Guests' connections.
keep macvtap
keep 8021q
keep bonding
keep vhost_vsock
load vfio_pci
load vfio_iommu_type1
# Watchdogs and TPMs.
keep iTCO_wdt
keep sp5100_tco
keep i6300esb
keep ipmi_si
keep ipmi_devintf
keep ipmi_watchdog
keep tpm_tis
keep tpm_crb
