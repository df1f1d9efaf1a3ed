using System.Text;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Trust.Signing;

/// <summary>Key files on disk. A secret is never in a message.</summary>
internal static class KeyFile
{
    /// <summary>What to do next, by what was asked for: who verifies needs no key pair.</summary>
    public const string NamePublic = "name the signer's public key, as `--key FILE.pub`", NamePrivate = "name one that `slipway keys new` made, or make another so";

    /// <param name="help">The next step where there is no such file, or one that holds no key.</param>
    public static string Read(string file, string help)
    {
        try
        {
            if (FileStamp.Of(file) is not { } stamp)
                throw new SlipwayException(ExitCode.NotThere, new Fault("key-missing", $"there is no key file {file}", file, Help: help));
            if (stamp.Kind != FileKind.File || stamp.Size > SigningKey.MaxFileBytes)
                throw NoKey(file, null, $"a key file of at most {SigningKey.MaxFileBytes} bytes", help);
            return File.ReadAllText(file, Encoding.Latin1);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-permission", $"cannot read {file}", file, Help: "make the key readable for this user"), e);
        }
    }

    /// <summary>Refuses a private key that others could have read, or that others could put another in the place of.</summary>
    /// <exception cref="SlipwayException">Its mode, or its folder's, allows that (exit 2).</exception>
    public static void RequirePrivate(string file)
    {
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        const UnixFileMode writers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        if ((File.GetUnixFileMode(file) & others) != 0)
            throw Exposed("key-readable-by-others", $"the private key {file} may be read or changed by others (mode {Octal(file)})", file, $"chmod 600 {file}; if anyone else may have read it, make another key, and revoke this one");
        // With the sticky bit, as on /tmp, nobody but its owner can take a file's place.
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        if (File.GetUnixFileMode(folder) is var mode && (mode & writers) != 0 && (mode & UnixFileMode.StickyBit) == 0)
            throw Exposed("key-folder-writable-by-others", $"others may put files into {folder}, where the private key lies (mode {Octal(folder)})", folder, $"chmod go-w {folder}");

        static string Octal(string path) => Convert.ToString((int)File.GetUnixFileMode(path), 8).PadLeft(4, '0');
        static SlipwayException Exposed(string code, string message, string path, string help) => new(ExitCode.UnusableInput, new Fault(code, message, path, Help: help));
    }

    public static SlipwayException NoKey(string file, string? kind, string expected, string help) =>
        Unusable("not-a-key", $"{file} holds {(kind is null ? "no PEM block" : $"a PEM block '{kind}'")}, expected {expected}", file, help);

    public static SlipwayException Unusable(string code, string message, string file, string help) =>
        new(ExitCode.UnusableInput, new Fault(code, message, file, Help: help));
}
