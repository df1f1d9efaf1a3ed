using System.Text;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Trust.Signing;

namespace Slipway.Cli;

/// <summary>A person's keys: <c>$XDG_CONFIG_HOME/slipway/keys</c>, or <c>~/.config/slipway/keys</c>. They belong to people, not to projects.</summary>
internal static class KeyFolder
{
    public static string Path { get; } = System.IO.Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } configuration
            ? configuration
            : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".config"),
        "slipway",
        "keys");

    /// <summary>Where the key of that name is; a name with a slash is a path.</summary>
    public static string FileOf(string name) => name.Contains('/') ? System.IO.Path.GetFullPath(name) : System.IO.Path.Combine(Path, name + ".key");

    /// <summary>Opens a private key, asking for its passphrase where a person is there to answer.</summary>
    /// <exception cref="SlipwayException">No such key, or no way to open it (exit 3); wrong passphrase (exit 2).</exception>
    public static SigningKey Open(string name)
    {
        var file = FileOf(name);
        if (!name.Contains('/') && FileStamp.Of(file) is null)
            throw Missing(name, file);
        var passphrase = Passphrase;
        if (passphrase is null && Prompt.IsAnswered && File.Exists(file) && File.ReadAllText(file, Encoding.Latin1).Contains("ENCRYPTED", StringComparison.Ordinal))
            passphrase = Prompt.Secret($"Passphrase of {file}: ");
        return SigningKey.Load(file, passphrase);
    }

    private static SlipwayException Missing(string name, string file)
    {
        var names = Directory.Exists(Path) ? Directory.GetFiles(Path, "*.key").Select(System.IO.Path.GetFileNameWithoutExtension).OfType<string>().Order(StringComparer.Ordinal).ToList() : [];
        var make = $"`slipway keys new{(name == "default" ? "" : " " + name)}` makes it";
        return new SlipwayException(ExitCode.NotThere, new Fault(
            "key-missing", $"there is no key '{name}': there is no key file {file}", file, Help: NearestName.Of(name, names) is { } nearest ? $"did you mean '{nearest}'? {make}" : make));
    }

    /// <summary>The public keys whose word is believed: those named, or all of the person's own folder.</summary>
    public static KeyRing Trusted(IReadOnlyCollection<string> named) =>
        named.Count > 0 ? KeyRing.Load(named) : Directory.Exists(Path) ? KeyRing.Load([Path]) : KeyRing.Of();

    /// <summary>All that decides which keys sign and whose word is believed, where neither is named.</summary>
    public static IEnumerable<string> Footprint() => [Path, TrustOptions.Standing, .. Directory.Exists(Path) ? Directory.EnumerateFileSystemEntries(Path) : []];

    /// <summary>The passphrase from the environment, or null.</summary>
    public static string? Passphrase => Environment.GetEnvironmentVariable(SignCommand.PassphraseVariable) is { Length: > 0 } given ? given : null;

    /// <summary>A passphrase for a new key, typed twice.</summary>
    /// <exception cref="SlipwayException">Nobody is there to type (exit 3), or the two differ (exit 2).</exception>
    public static string NewPassphrase()
    {
        if (Passphrase is { } given)
            return given;
        if (!Prompt.IsAnswered)
            throw new SlipwayException(ExitCode.NotThere, new Fault("passphrase-missing", "a new key needs a passphrase, and nobody is here to type one", Help: $"set {SignCommand.PassphraseVariable}, or say --no-passphrase for a key that only file permissions protect"));
        var first = Prompt.Secret("New passphrase: ");
        return first.Length > 0 && first == Prompt.Secret("Again: ")
            ? first
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("passphrase-differs", "the two passphrases differ, or are empty", Help: "try again"));
    }
}
