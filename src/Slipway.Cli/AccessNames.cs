using System.Collections.Immutable;
using Slipway.Documents.Access;
using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>What people call principals, keys and roles, and what is meant.</summary>
internal static class AccessNames
{
    /// <summary>Hex digits of a key's id that are enough to name it.</summary>
    private const int ShortestKey = 8;

    /// <summary>The principal with that id or name.</summary>
    /// <exception cref="SlipwayException">None, or several of that name (exit 2).</exception>
    public static async Task<Principal> PrincipalAsync(ServerClient server, string name, CancellationToken cancellation)
    {
        var all = await server.GetAsync("/api/v1/principals", AccessJson.Default.ImmutableArrayPrincipal, cancellation);
        return all.Where(principal => principal.Id == name).Concat(all.Where(principal => principal.Name == name && principal.Id != name)).ToArray() switch
        {
            [var one] => one,
            [] => throw Unusable("no-principal", $"there is no principal '{name}'", NearestName.Of(name, all.Select(principal => principal.Name)) is { } near ? $"did you mean {near}?" : "see slipway access principals"),
            var several => throw Unusable("ambiguous-name", $"{several.Length} principals are called '{name}'", $"say the id: {string.Join(", ", several.Select(principal => principal.Id))}"),
        };
    }

    /// <summary>The trusted key with that name, or whose id begins so.</summary>
    /// <exception cref="SlipwayException">None, or several (exit 2).</exception>
    public static async Task<TrustedKey> KeyAsync(ServerClient server, string name, CancellationToken cancellation)
    {
        var all = await server.GetAsync("/api/v1/trusted-keys", AccessJson.Default.ImmutableArrayTrustedKey, cancellation);
        return all.Where(key => key.Name == name || name.Length >= ShortestKey && key.Id.StartsWith(name, StringComparison.Ordinal)).ToArray() switch
        {
            [var one] => one,
            [] => throw Unusable("no-key", $"there is no trusted key '{name}'", $"see slipway access key list; an id needs its first {ShortestKey} digits"),
            var several => throw Unusable("ambiguous-name", $"{several.Length} trusted keys are called '{name}'", $"say the id: {string.Join(", ", several.Select(key => key.Id))}"),
        };
    }

    /// <summary>Reads <c>ROLE</c> or <c>ROLE:MODEL</c>.</summary>
    /// <exception cref="SlipwayException">No such role, or no model's name (exit 2).</exception>
    public static ImmutableArray<RoleGrant> Roles(IEnumerable<string>? texts) =>
        [.. (texts ?? []).Select(text => text.Split(':', 2)).Select(parts => Role(parts[0], parts.Length > 1 ? parts[1] : null))];

    /// <param name="model">Null for all models.</param>
    public static RoleGrant Role(string role, string? model)
    {
        var names = Enum.GetValues<Role>().ToDictionary(value => value.ToString().ToLowerInvariant());
        if (!names.TryGetValue(role, out var found))
            throw Unusable("bad-role", $"'{role}' is no role, allowed are {string.Join(", ", names.Keys)}", NearestName.Of(role, names.Keys) is { } near ? $"did you mean {near}?" : null);
        return model is null or RoleGrant.AllModels || Spec.IsName(model)
            ? new RoleGrant(found, model ?? RoleGrant.AllModels)
            : throw Unusable("bad-model", $"'{model}' is no model's name", null);
    }

    private static SlipwayException Unusable(string code, string message, string? help) => new(ExitCode.UnusableInput, new Fault(code, message, Help: help));
}
