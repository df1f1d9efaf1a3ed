using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Slipway.Primitives.Faults;

namespace Slipway.Runtime.Sandbox;

/// <summary>The system calls that no stage needs and that reach the kernel's rarely walked corners: refused with EPERM.</summary>
/// <remarks>
/// A classic BPF program as seccomp(2) takes it, 8 bytes an instruction. All that programs use stays allowed: a list of what is
/// allowed would break with every new C library. Numbers are those of x86-64, from the kernel's <c>syscall_64.tbl</c>.
/// </remarks>
internal static class SystemCallFilter
{
    private const uint ArchitectureX64 = 0xC000003E, X32Calls = 0x40000000;
    private const uint Allow = 0x7FFF0000, KillProcess = 0x80000000, Refuse = 0x00050000;
    private const uint NotPermitted = 1, NotImplemented = 38, AddressFamilyNotSupported = 97;
    private const ushort Load = 0x20, Return = 0x06, JumpIfEqual = 0x15, JumpIfAtLeast = 0x35, JumpIfAny = 0x45;
    private const uint OfCall = 0, OfArchitecture = 4, OfFirstArgument = 16, OfSecondArgument = 24;
    private const uint Ioctl = 16, Socket = 41, Clone = 56, Unshare = 272, Clone3 = 435;

    /// <summary>CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET.</summary>
    private const uint NewNamespaces = 0x7E020000;

    /// <summary>Puts characters into a terminal's input: TIOCSTI and TIOCLINUX.</summary>
    private static readonly uint[] terminalInput = [0x5412, 0x541C];

    /// <summary>AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: what the C library itself opens.</summary>
    private static readonly uint[] addressFamilies = [1, 2, 10, 16];

    private static readonly uint[] refused =
    [
        101, // ptrace
        103, // syslog
        134, // uselib
        136, // ustat
        139, // sysfs
        153, // vhangup
        154, // modify_ldt
        155, // pivot_root
        156, // _sysctl
        159, // adjtimex
        161, // chroot
        163, // acct
        164, // settimeofday
        165, // mount
        166, // umount2
        167, // swapon
        168, // swapoff
        169, // reboot
        170, // sethostname
        171, // setdomainname
        172, // iopl
        173, // ioperm
        174, // create_module
        175, // init_module
        176, // delete_module
        177, // get_kernel_syms
        178, // query_module
        179, // quotactl
        180, // nfsservctl
        212, // lookup_dcookie
        227, // clock_settime
        246, // kexec_load
        248, // add_key
        249, // request_key
        250, // keyctl
        298, // perf_event_open
        300, // fanotify_init
        303, // name_to_handle_at
        304, // open_by_handle_at
        305, // clock_adjtime
        308, // setns
        310, // process_vm_readv
        311, // process_vm_writev
        312, // kcmp
        313, // finit_module
        320, // kexec_file_load
        321, // bpf
        323, // userfaultfd
        425, // io_uring_setup
        426, // io_uring_enter
        427, // io_uring_register
        428, // open_tree
        429, // move_mount
        430, // fsopen
        431, // fsconfig
        432, // fsmount
        433, // fspick
        438, // pidfd_getfd
        442, // mount_setattr
        443, // quotactl_fd
    ];

    /// <summary>The program's bytes.</summary>
    /// <exception cref="SlipwayException">There is none for this processor (exit 3).</exception>
    public static byte[] Program()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-system-call-filter", $"the sandbox's filter of system calls is written for x86-64, this is {RuntimeInformation.ProcessArchitecture}", Help: "say --isolation none to run stages without a sandbox"));
        List<Instruction> program =
        [
            new(Load, 0, 0, OfArchitecture),
            new(JumpIfEqual, 1, 0, ArchitectureX64),
            new(Return, 0, 0, KillProcess),
            new(Load, 0, 0, OfCall),
            new(JumpIfAtLeast, 0, 1, X32Calls),
            new(Return, 0, 0, Refuse | NotImplemented),
        ];
        foreach (var call in refused)
            program.AddRange([new(JumpIfEqual, 0, 1, call), new(Return, 0, 0, Refuse | NotPermitted)]);

        // Its flags stand behind a pointer that no filter can follow; the C library falls back to clone.
        program.AddRange([new(JumpIfEqual, 0, 1, Clone3), new(Return, 0, 0, Refuse | NotImplemented)]);
        foreach (var call in new[] { Clone, Unshare })
            program.AddRange(ForCall(call, [new(Load, 0, 0, OfFirstArgument), new(JumpIfAny, 0, 1, NewNamespaces), new(Return, 0, 0, Refuse | NotPermitted), new(Return, 0, 0, Allow)]));
        program.AddRange(ForCall(Ioctl, [new(Load, 0, 0, OfSecondArgument), .. terminalInput.SelectMany(request => Pair(request, Refuse | NotPermitted)), new(Return, 0, 0, Allow)]));
        program.AddRange(ForCall(Socket, [new(Load, 0, 0, OfFirstArgument), .. addressFamilies.SelectMany(family => Pair(family, Allow)), new(Return, 0, 0, Refuse | AddressFamilyNotSupported)]));
        program.Add(new(Return, 0, 0, Allow));
        return [.. program.SelectMany(instruction => instruction.Bytes())];
    }

    private static IEnumerable<Instruction> Pair(uint value, uint verdict) => [new(JumpIfEqual, 0, 1, value), new(Return, 0, 0, verdict)];

    /// <summary>What is done for one call and left out for others, whose number stays loaded.</summary>
    private static IEnumerable<Instruction> ForCall(uint call, Instruction[] body) => [new(JumpIfEqual, 0, (byte)body.Length, call), .. body];

    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value)
    {
        public byte[] Bytes()
        {
            var bytes = new byte[8];
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, Code);
            (bytes[2], bytes[3]) = (IfTrue, IfFalse);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Value);
            return bytes;
        }
    }
}
