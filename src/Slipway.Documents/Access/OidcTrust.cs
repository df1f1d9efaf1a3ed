using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Primitives.Faults;

namespace Slipway.Documents.Access;

/// <summary>An OpenID Connect provider whose tokens the server takes, and what its groups may do.</summary>
/// <param name="Issuer">Exactly as in its tokens' <c>iss</c>; https, or http on this machine. Its keys are found by discovery.</param>
/// <param name="Audience">What its tokens' <c>aud</c> must name: this server, and no other service.</param>
/// <param name="Kind">What its subjects are: people, or programs such as a CI system's jobs.</param>
/// <param name="GroupsClaim">Name of the claim that lists groups; a string or a list of strings.</param>
/// <param name="Require">
/// Claims that must have these values. Of an issuer that serves the public say here which of its subjects are yours, or everybody is let in.
/// </param>
/// <param name="Roles">By group.</param>
public sealed record OidcTrust(
    string Issuer,
    string Audience,
    PrincipalKind Kind = PrincipalKind.Person,
    string GroupsClaim = "groups",
    ImmutableSortedDictionary<string, string>? Require = null,
    ImmutableSortedDictionary<string, ImmutableArray<RoleGrant>>? Roles = null)
{
    /// <summary>Reads the file that <c>--oidc</c> names.</summary>
    /// <exception cref="SlipwayException">No such file (exit 3); unusable (exit 2).</exception>
    public static OidcTrust Load(string file)
    {
        try
        {
            var trust = JsonSerializer.Deserialize(File.ReadAllBytes(file), OidcJson.Default.OidcTrust) ?? throw new JsonException("it is null");
            return trust.Problem() is { } problem ? throw new JsonException(problem) : trust;
        }
        catch (JsonException e)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-oidc", $"describes no identity provider: {e.Message}", file, Help: "see docs/guide/access.md"), e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("oidc-missing", "cannot be read", file), e);
        }
    }

    public ImmutableArray<RoleGrant> RolesOf(string group) => Roles is not null && Roles.TryGetValue(group, out var roles) ? roles : [];

    /// <returns>What is wrong with it; null for nothing.</returns>
    public string? Problem() =>
        !Uri.TryCreate(Issuer, UriKind.Absolute, out var issuer) || !(issuer.Scheme == "https" || issuer.Scheme == "http" && issuer.IsLoopback) || issuer.Query.Length > 0 || issuer.Fragment.Length > 0
            ? $"issuer is '{Issuer}', allowed is an https address, or http on this machine"
        : Audience.Length == 0 ? "audience is empty: a token that was made for any other service would be taken"
        : GroupsClaim.Length == 0 ? "groupsClaim is empty"
        : Roles?.Values.SelectMany(roles => roles).FirstOrDefault(role => !role.IsValid) is { } role ? $"there is no role '{role}'"
        : null;
}

/// <summary>Written by people: no comments and no trailing commas, but what has a default may be left out.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OidcTrust))]
internal sealed partial class OidcJson : JsonSerializerContext;
