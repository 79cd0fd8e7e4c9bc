import { describe, expect, test } from "bun:test";
import { asSvirtError } from "../../src/errors.ts";
import { refuseWrittenPlace, type WrittenPlace } from "../../src/label/guest-places.ts";

/** Path, its own type and its folder's, as in Debian's policy. `-` is a new file or no label. */
type Row = readonly [path: string, own: string, folder: string, kind?: WrittenPlace["kind"]];

function refusal([path, own, folder, kind = "file"]: Row, homes: readonly string[] = []): string | undefined {
  const labelled = (type: string): string | undefined =>
    type === "-" ? undefined : `system_u:object_r:${type}:s0`;
  try {
    refuseWrittenPlace({
      path,
      kind,
      label: labelled(own),
      folderLabel: labelled(folder),
      listHomes: () => homes,
    });
    return undefined;
  } catch (error) {
    const { kind: why, message, remedy } = asSvirtError(error);
    expect(why).toBe("denied");
    expect(message).toStartWith(`Cannot let a guest write ${path}: `);
    expect(remedy).toMatch(/chcon -t virt_image_t|^Run: restorecon \//);
    return message;
  }
}

const ALLOWED: readonly Row[] = [
  ["/var/lib/libvirt/images/a.img", "virt_image_t", "virt_image_t"],
  ["/var/lib/libvirt/images/new.img", "-", "virt_image_t"],
  ["/var/lib/libvirt/qemu/nvram/vm_VARS.fd", "svirt_runtime_t", "svirt_runtime_t"],
  ["/var/lib/libvirt/qemu/nvram/vm_VARS.fd", "var_lib_t", "var_lib_t"],
  ["/var/lib/libvirt/boot/x.iso", "virt_content_t", "virt_content_t"],
  ["/var/lib/libvirt/images/a.img", "svirt_image_t", "virt_image_t"],
  ["/srv/vm/a.img", "var_t", "var_t"],
  ["/srv/vm/new.log", "-", "var_t"],
  ["/mnt/a.img", "mnt_t", "mnt_t"],
  ["/mnt/disk/a.img", "unlabeled_t", "unlabeled_t"],
  ["/media/stick/a.img", "dosfs_t", "dosfs_t"],
  ["/run/media/alice/a.img", "-", "-"],
  ["/tmp/a.img", "user_tmp_t", "tmp_t"],
  ["/var/tmp/a.img", "tmp_t", "tmp_t"],
  ["/var/cache/libvirt-tck/000/a.img", "var_t", "var_t"],
  ["/dev/shm/memory", "tmpfs_t", "tmpfs_t"],
  ["/dev/hugepages/memory", "hugetlbfs_t", "hugetlbfs_t"],
  ["/data/a.img", "default_t", "default_t"],
  ["/export/vm/a.img", "nfs_t", "nfs_t"],
  // Labelled by an administrator, in any folder.
  ["/root/images/a.img", "virt_image_t", "virt_image_t"],
  ["/opt/images/new.img", "-", "virt_image_t"],
  ["/home/alice/VirtualMachines/a.img", "virt_home_t", "virt_home_t"],
  // As a shell and restorecon label them there.
  ["/home/alice/.local/share/libvirt/images/a.img", "user_home_t", "user_home_t"],
  ["/home/alice/.local/share/libvirt/images/a.img", "xdg_data_t", "xdg_data_t"],
  ["/home/alice/.local/state/svirt/nvram/vm_VARS.fd", "svirt_home_t", "svirt_home_t"],
  // Without SELinux the path alone decides.
  ["/srv/a.img", "-", "-"],
  ["/var/lib/libvirt/images/a.img", "-", "-"],
  ["/home/alice/.local/share/libvirt/images/a.img", "-", "-"],
  // A folder that a guest writes is judged by its own label.
  ["/srv", "var_t", "root_t", "folder"],
  ["/srv/share", "var_t", "var_t", "folder"],
  ["/root/share", "virt_image_t", "user_home_dir_t", "folder"],
  // Label that another start has left.
  ["/srv/share", "svirt_folder_t", "var_t", "folder"],
  // A socket is judged by its own label. A device is no file.
  ["/run/storage.sock", "virt_image_t", "var_run_t", "socket"],
  ["/run/x.sock", "-", "var_run_t", "listener"],
  ["/run/x.sock", "-", "-", "listener"],
  ["/srv/x.sock", "-", "var_t", "listener"],
  ["/dev/vdb", "fixed_disk_device_t", "device_t", "device"],
];

const REFUSED: readonly Row[] = [
  ["/var/cache/libvirt/a.img", "var_t", "var_t"],
  ["/root/.profile", "user_home_t", "user_home_dir_t"],
  ["/root/.bash_login", "-", "user_home_dir_t"],
  ["/root/.ssh/authorized_keys", "ssh_home_t", "ssh_home_t"],
  ["/root/disk.img", "virt_image_t", "user_home_dir_t"],
  ["/home/u/.bashrc", "user_home_t", "user_home_dir_t"],
  ["/home/u/.bashrc", "nfs_t", "nfs_t"],
  ["/home/u/.bashrc", "-", "-"],
  ["/home/u/.config/autostart/x.desktop", "xdg_config_t", "xdg_config_t"],
  ["/home/u/.config/systemd/user/x.service", "-", "-"],
  ["/home/u/vms/a.img", "user_home_t", "user_home_t"],
  ["/home/u", "user_home_dir_t", "home_root_t", "folder"],
  ["/home", "home_root_t", "root_t", "folder"],
  ["/home/u/.config/svirt/svirt.conf", "svirt_home_t", "svirt_home_t"],
  ["/home/u/.local/state/svirt/records/x.json", "svirt_home_t", "svirt_home_t"],
  ["/etc/cron.d/x", "-", "system_cron_spool_t"],
  ["/etc/profile.d/x.sh", "-", "etc_t"],
  ["/etc/udev/rules.d/9.rules", "-", "udev_rules_t"],
  ["/etc/systemd/system/x.service", "-", "systemd_unit_t"],
  ["/var/spool/cron/crontabs/root", "user_cron_spool_t", "user_cron_spool_t"],
  ["/var/spool/cron/crontabs/root", "-", "-"],
  ["/usr/local/bin/x", "-", "bin_t"],
  ["/opt/app/run", "usr_t", "usr_t"],
  ["/opt/app/run", "-", "-"],
  // Moved there with the label of its former folder.
  ["/opt/app/run", "user_tmp_t", "user_tmp_t"],
  ["/etc/profile.d/x.sh", "user_tmp_t", "etc_t"],
  ["/boot/grub/grub.cfg", "boot_t", "boot_t"],
  ["/efi/EFI/BOOT/BOOTX64.EFI", "-", "-"],
  ["/lib/modules/x.ko", "modules_object_t", "modules_object_t"],
  ["/var/www/html/index.php", "httpd_sys_content_t", "httpd_sys_content_t"],
  ["/var/lib/cloud/scripts/per-boot/x", "-", "var_lib_t"],
  ["/var/lib/dkms/x/Makefile", "var_lib_t", "var_lib_t"],
  ["/var/local/x", "var_t", "var_t"],
  ["/var/log/libvirt/x.log", "virt_log_t", "virt_log_t"],
  ["/run/x.log", "-", "var_run_t"],
  ["/run/systemd/x.sock", "-", "init_runtime_t", "listener"],
  ["/run/systemd/x.sock", "-", "-", "listener"],
  ["/root/x.sock", "-", "user_home_dir_t", "listener"],
  ["/run/docker.sock", "container_runtime_t", "var_run_t", "socket"],
  ["/.autorelabel", "-", "root_t"],
  ["/x", "-", "-"],
  ["/nix/store/x", "default_t", "default_t"],
  // A hard link in an allowed folder keeps the label of its file.
  ["/srv/link", "user_home_t", "var_t"],
  ["/var/lib/libvirt/images/link", "etc_t", "virt_image_t"],
  // Only the name begins like an allowed folder.
  ["/srvx", "-", "-"],
  ["/var/lib/libvirtx/a", "-", "-"],
  // dnsmasq reads them, and runs the program that `dhcp-script` names.
  ["/var/lib/libvirt/dnsmasq/default.conf", "var_lib_t", "var_lib_t"],
  ["/var/lib/libvirt/dnsmasq/default.conf", "-", "virt_var_lib_t"],
  ["/var/lib/libvirt/dnsmasq", "virt_image_t", "virt_var_lib_t", "folder"],
  ["/var/lib/libvirt", "virt_var_lib_t", "var_lib_t", "folder"],
  ["/dev/shmx", "-", "-"],
  ["/var/tmpx/a", "var_t", "var_t"],
];

/**
 * Top-level folders of the system: FHS 3.0, chapter 3 and the Linux annex; those of multilib Debian, of boot
 * loaders (efi), initrd(4), ext4 (lost+found), Nix, Guix (gnu), OSTree and snapd.
 */
const SYSTEM_TOPS = [
  ...["bin", "boot", "dev", "etc", "home", "lib", "opt", "proc", "root", "run", "sbin", "sys", "usr", "var"],
  ...["lib32", "lib64", "libx32", "efi", "initrd", "lost+found", "nix", "gnu", "ostree", "sysroot", "snap"],
];

describe("refuseWrittenPlace()", () => {
  test.each(SYSTEM_TOPS)("refuses /%s, and folders of it that no label calls a guest's", (top) => {
    for (const type of ["-", "default_t", "nfs_t"]) {
      expect(refusal([`/${top}/vm/a.img`, type, type])).toBe(
        `Cannot let a guest write /${top}/vm/a.img: /${top}/vm is not a folder for guests' files`,
      );
      expect(refusal([`/${top}/vm`, type, type, "folder"])).toBeString();
    }
    expect(refusal([`/${top}/vm/a.img`, "-", "virt_image_t"])).toBeUndefined();
    expect(refusal([`/${top}-of-guests/a.img`, "-", "-"])).toBeUndefined();
  });

  test.each(ALLOWED.map((row) => ({ row })))("lets a guest write $row", ({ row }) => {
    expect(refusal(row)).toBeUndefined();
  });

  test.each(REFUSED.map((row) => ({ row })))("refuses $row", ({ row }) => {
    expect(refusal(row)).toBeString();
  });

  test("tells a label that is wrong from a folder that is", () => {
    expect(refusal(["/srv/link", "user_home_t", "var_t"])).toContain(
      "its label user_home_t is for files in other folders",
    );
    expect(refusal(["/root/x", "-", "user_home_dir_t"])).toContain("/root is labelled user_home_dir_t");
    expect(refusal(["/opt/x", "-", "-"])).toContain("/opt is not a folder for guests' files");
  });

  describe("where users of the host have their homes elsewhere", () => {
    const rows = (...all: readonly Row[]): { readonly row: Row }[] => all.map((row) => ({ row }));
    // Homes in /etc/passwd of hosts. The last five belong to daemons and imply nothing about places for
    // images.
    const HOMES = [
      ...["/data/home/bob", "/mnt/home/eve", "/export/home/ann/", "/srv/ftp", "/var/lib/libvirt/images/kim"],
      ...["/", "", "/srv", "/tmp", "/var/lib/libvirt"],
    ];

    test.each(
      rows(
        ["/data/home/bob/.ssh/authorized_keys", "default_t", "default_t"],
        ["/data/home/bob/new", "-", "-"],
        ["/mnt/home/eve/.bashrc", "nfs_t", "nfs_t"],
        ["/export/home/ann/vms/a.img", "-", "nfs_t"],
        ["/srv/ftp/.forward", "var_t", "var_t"],
        ["/data/home/bob", "default_t", "default_t", "folder"],
        ["/data/home/bob/share", "default_t", "default_t", "folder"],
        ["/data/home", "default_t", "default_t", "folder"],
        ["/srv", "var_t", "root_t", "folder"],
        ["/data/home/bob/x.sock", "-", "default_t", "listener"],
      ),
    )("refuses $row", ({ row }) => {
      expect(refusal(row, HOMES)).toMatch(/home folder/);
      expect(refusal(row)).toBeUndefined();
    });

    test.each(
      rows(
        ["/data/home/bob/images/a.img", "virt_image_t", "virt_image_t"],
        ["/data/home/bob/images/new.img", "-", "virt_image_t"],
        ["/data/home/bob/images", "virt_image_t", "default_t", "folder"],
        ["/data/home/bob/.local/share/libvirt/images/a.img", "nfs_t", "nfs_t"],
        ["/data/home/bob/VirtualMachines/a.img", "default_t", "default_t"],
        ["/data/home/bobby/a.img", "default_t", "default_t"],
        ["/data/home/a.img", "default_t", "default_t"],
        ["/srv/vm/a.img", "var_t", "var_t"],
        ["/tmp/a.img", "-", "-"],
        ["/var/lib/libvirt/images/a.img", "-", "-"],
        ["/var/lib/libvirt/images/kim/a.img", "-", "-"],
        ["/data/home/bob/dev", "fixed_disk_device_t", "device_t", "device"],
      ),
    )("lets a guest write $row", ({ row }) => {
      expect(refusal(row, HOMES)).toBeUndefined();
    });
  });
});
