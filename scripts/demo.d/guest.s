# The demo's guest: one boot sector. Prints its name and hypervisor on its serial port, writes to its second disk, and
# powers off when its power button is pressed. Real mode, SeaBIOS, machine "pc".
#
#   as --32 -o guest.o guest.s && ld -m elf_i386 -Ttext=0x7c00 --oformat=binary -o guest.img guest.o

.code16
.intel_syntax noprefix
.set SECTOR2, 0x7e00      # where this guest's name is read to
.set COM1, 0x3f8
.set PM_EVENT, 0x600      # ACPI's registers, where SeaBIOS puts those of PIIX4
.set PM_CONTROL, 0x604

.globl _start
_start:
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, 0x7c00

        # The second sector of the boot disk contains the guest's name. The BIOS left the drive's number in dl.
        mov ax, 0x0201
        mov bx, SECTOR2
        mov cx, 0x0002
        mov dh, 0
        int 0x13
        mov si, SECTOR2
        call print

        # "KVMKVMKVM" under KVM, "TCGTCGTCGTCG" under QEMU's emulation.
        mov si, offset under
        call print
        mov eax, 0x40000000
        cpuid
        mov [signature], ebx
        mov [signature + 4], ecx
        mov [signature + 8], edx
        mov si, offset signature
        call print

        # Writes the name into the first sector of the second disk.
        mov ax, 0x0301
        mov bx, SECTOR2
        mov cx, 0x0001
        mov dx, 0x0081
        int 0x13
        mov si, offset wrote
        jnc 1f
        mov si, offset not_wrote
1:      call print

        # Sleeps from one timer interrupt to the next, until the power button's bit is set.
        mov dx, PM_EVENT + 2
        mov ax, 0x0100
        out dx, ax
        sti
2:      hlt
        mov dx, PM_EVENT
        in ax, dx
        test ah, 0x01
        jz 2b
        mov si, offset bye
        call print
        mov dx, PM_CONTROL
        mov ax, 0x2000
        out dx, ax
3:      hlt
        jmp 3b

# print: writes the text at si, up to a NUL, to the serial port.
print:  lodsb
        test al, al
        jz 2f
        mov ah, al
        mov dx, COM1 + 5
1:      in al, dx
        test al, 0x20
        jz 1b
        mov dx, COM1
        mov al, ah
        out dx, al
        jmp print
2:      ret

under:      .asciz ": I run under "
wrote:      .asciz ", and wrote to my second disk\n"
not_wrote:  .asciz ", and cannot write to my second disk\n"
bye:        .asciz "power button: I power myself off\n"
signature:  .fill 13, 1, 0

        .org 510
        .word 0xaa55
