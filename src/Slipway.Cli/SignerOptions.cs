using System.Collections;
using System.CommandLine;
using Slipway.Primitives.Faults;
using Slipway.Trust.Signing;

namespace Slipway.Cli;

/// <summary>With what a verb signs: a key file, a key from the environment, or a program that reaches a key elsewhere.</summary>
/// <param name="keyName">Of the option that names the key; of a verb that verifies, <c>--key</c> is a public one.</param>
internal sealed class SignerOptions(string keyName = "--key")
{
    private const string CommandVariable = "SLIPWAY_SIGN_COMMAND", PublicKeyVariable = "SLIPWAY_SIGN_PUBLIC_KEY";

    private readonly Option<string?> key = new(keyName) { Description = "Name or path of the signing key; default: SLIPWAY_SIGN_COMMAND or SLIPWAY_SIGNING_KEY where set, else the key 'default'", HelpName = "KEY" };

    private readonly Option<string?> command = new("--sign-command") { Description = "Program that signs, for a key that is elsewhere: the digest's 32 bytes on its stdin, the DER signature on its stdout", HelpName = "CMD" };

    private readonly Option<string?> publicKey = new("--public-key") { Description = "Public half of the key that --sign-command signs with", HelpName = "FILE.pub" };

    public void AddTo(Command verb)
    {
        verb.Options.Add(key);
        verb.Options.Add(command);
        verb.Options.Add(publicKey);
    }

    /// <summary>Opens what signs; the caller disposes what can be disposed.</summary>
    /// <exception cref="SlipwayException">No such key, or no way to open it (exit 3); unusable, or two are given (exit 2).</exception>
    public ISigner Open(ParseResult parsed, Shell shell)
    {
        var (named, program, half) = (parsed.GetValue(key), parsed.GetValue(command), parsed.GetValue(publicKey));
        if (named is not null && (program ?? half) is not null)
            throw Ambiguous($"{keyName} and --sign-command both say what signs");
        if (named is not null)
            return KeyFolder.Open(named);
        if (program is not null || half is not null)
            return ByCommand(shell, program ?? Variable(CommandVariable), half ?? Variable(PublicKeyVariable));
        if (Variable(CommandVariable) is not null && Variable(SignCommand.KeyVariable) is not null)
            throw Ambiguous($"{CommandVariable} and {SignCommand.KeyVariable} both say what signs");
        if (Variable(CommandVariable) is { } standing)
            return ByCommand(shell, standing, Variable(PublicKeyVariable));
        return Variable(SignCommand.KeyVariable) is { } pem ? SigningKey.Parse(pem, KeyFolder.Passphrase, SignCommand.KeyVariable) : KeyFolder.Open("default");
    }

    private static SignCommand ByCommand(Shell shell, string? program, string? half)
    {
        if (program is null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", "--public-key is given, and no command that signs with its private half", Help: $"say --sign-command CMD, or set {CommandVariable}"));
        if (half is null)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", "a sign command is given, and no public key to check its answers by", Help: $"say --public-key FILE.pub, or set {PublicKeyVariable}"));
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "", StringComparer.Ordinal);
        return new SignCommand(program, VerificationKey.Load(shell.PathOf(half)), shell.Folder, environment);
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static SlipwayException Ambiguous(string message) => new(ExitCode.UnusableInput, new Fault("bad-argument", message, Help: "give one of the two"));
}
