using System.CommandLine;
using Slipway.Primitives.Faults;
using Slipway.Store.Oci;
using Slipway.Store.Registries;

namespace Slipway.Cli;

/// <summary>How a verb gets at registries: with the credentials that are given, or those that docker keeps.</summary>
/// <param name="Username">Null for docker's.</param>
internal sealed record RegistryAccess(bool PlainHttp, string? Username, bool PasswordFromInput)
{
    /// <summary>Most characters of a password on standard input; more is a fault.</summary>
    private const int MaxPassword = 64 * 1024;

    private string? password;

    /// <summary>How it is spoken to, but for TLS.</summary>
    public RegistryOptions Options { get; init; } = new();

    /// <exception cref="SlipwayException">Docker's configuration is unusable (exit 2), a helper fails (exit 3), or there is no password (exit 2).</exception>
    public async Task<RegistryClient> OpenAsync(RegistryReference place, CancellationToken cancellation)
    {
        var credential = Username is null
            ? await new DockerCredentials(DockerFolder(), Environment.GetEnvironmentVariable("PATH") ?? "", TimeProvider.System).FindAsync(place.Host, cancellation)
            : new RegistryCredential(Username, password ??= ReadPassword());
        return new RegistryClient(place, Options with { PlainHttp = PlainHttp }, credential, TimeProvider.System);
    }

    private static string DockerFolder() =>
        Environment.GetEnvironmentVariable("DOCKER_CONFIG") is { Length: > 0 } folder ? folder
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".docker");

    private string ReadPassword()
    {
        if (!PasswordFromInput)
        {
            return Prompt.IsAnswered
                ? Prompt.Secret($"Password of {Username}: ")
                : throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                    "password-missing", "--username is given without a password, and nobody is here to type one",
                    Help: "say --password-stdin and hand it on standard input; a password on the command line could be read by others"));
        }

        var text = new char[MaxPassword + 1];
        var length = Console.In.ReadBlock(text, 0, text.Length);
        var given = new string(text, 0, length).TrimEnd('\n', '\r');
        return given.Length is > 0 and <= MaxPassword && length <= MaxPassword
            ? given
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault(
                "password-missing", $"standard input has no password, or more than {MaxPassword} characters",
                Help: "hand it on standard input, such as: --password-stdin < password.txt"));
    }
}

/// <summary>The options of every verb that speaks to registries.</summary>
internal sealed class RegistryAccessOptions
{
    private readonly Option<bool> plainHttp = new("--plain-http") { Description = "Speak to a registry that is not on this machine without TLS" };
    private readonly Option<string?> username = new("--username") { Description = "Name at the registry; default: what docker's config.json or its credential helpers know", HelpName = "NAME" };
    private readonly Option<bool> password = new("--password-stdin") { Description = "Read the password from standard input" };

    public void AddTo(Command verb)
    {
        foreach (var option in new Option[] { plainHttp, username, password })
            verb.Options.Add(option);
        verb.Validators.Add(result =>
        {
            if (result.GetResult(password) is { Implicit: false } && result.GetResult(username) is null)
                result.AddError("--password-stdin needs --username NAME");
        });
    }

    public RegistryAccess Of(ParseResult parsed) => new(parsed.GetValue(plainHttp), parsed.GetValue(username), parsed.GetValue(password));
}
