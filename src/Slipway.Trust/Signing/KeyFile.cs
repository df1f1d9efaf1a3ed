using System.Text;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Trust.Signing;

/// <summary>Key files on disk. A secret is never in a message.</summary>
internal static class KeyFile
{
    public static string Read(string file)
    {
        try
        {
            if (FileStamp.Of(file) is not { } stamp)
                throw new SlipwayException(ExitCode.NotThere, new Fault("key-missing", $"there is no key file {file}", file, Help: "make a key with `slipway keys new`, or name one with `--key FILE`"));
            if (stamp.Kind != FileKind.File || stamp.Size > SigningKey.MaxFileBytes)
                throw NoKey(file, null, $"a key file of at most {SigningKey.MaxFileBytes} bytes");
            return File.ReadAllText(file, Encoding.Latin1);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("no-permission", $"cannot read {file}", file, Help: "make the key readable for this user"), e);
        }
    }

    public static SlipwayException NoKey(string file, string? kind, string expected) =>
        Unusable("not-a-key", $"{file} holds {(kind is null ? "no PEM block" : $"a PEM block '{kind}'")}, expected {expected}", file);

    public static SlipwayException Unusable(string code, string message, string file) =>
        new(ExitCode.UnusableInput, new Fault(code, message, file, Help: "make a key pair with `slipway keys new`"));
}
