using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Cli;

/// <summary>A person's servers and tokens: <c>logins.json</c> beside the key folder, readable by its owner alone.</summary>
/// <param name="Current">The server last logged in to.</param>
/// <param name="Tokens">By server's address.</param>
internal sealed record ServerLogins(string? Current, ImmutableSortedDictionary<string, string> Tokens)
{
    private static readonly ServerLogins None = new(null, ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal));

    public static string File { get; } = Path.Combine(Path.GetDirectoryName(KeyFolder.Path)!, "logins.json");

    /// <exception cref="SlipwayException">The file is no list of logins (exit 2).</exception>
    public static ServerLogins Load()
    {
        try
        {
            return System.IO.File.Exists(File) ? JsonSerializer.Deserialize(System.IO.File.ReadAllBytes(File), LoginJson.Default.ServerLogins) ?? None : None;
        }
        catch (JsonException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("logins-unreadable", $"is no list of logins: {e.Message}", File, Help: "delete it, and log in again"));
        }
    }

    /// <summary>The address without what follows the host and port.</summary>
    /// <exception cref="SlipwayException">No http or https address (exit 2).</exception>
    public static Uri ParseUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0
            ? new Uri(url.GetLeftPart(UriPartial.Authority))
            : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-server", $"'{text}' is no server's address, such as http://127.0.0.1:4040 or https://slipway.example.org"));

    /// <summary>Adds a login, or replaces the one for that server, and makes it the current one.</summary>
    /// <exception cref="SlipwayException">The file is no list of logins (exit 2); no space, no permission (exit 3).</exception>
    public static async Task SaveAsync(Uri url, string token, CancellationToken cancellation)
    {
        // Two logins at once must not lose one of them.
        using var alone = await FolderLock.TakeAsync(File + ".lock", waiting: null, cancellation);
        var server = url.GetLeftPart(UriPartial.Authority);
        AtomicFile.WriteSecret(File, JsonSerializer.SerializeToUtf8Bytes(new ServerLogins(server, Load().Tokens.SetItem(server, token)), LoginJson.Default.ServerLogins));
    }

    public string? TokenFor(Uri url) => Tokens.GetValueOrDefault(url.GetLeftPart(UriPartial.Authority));
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ServerLogins))]
internal sealed partial class LoginJson : JsonSerializerContext;
