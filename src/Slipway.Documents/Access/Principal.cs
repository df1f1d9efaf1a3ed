using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Specs;

namespace Slipway.Documents.Access;

/// <summary>Somebody that the server knows: a person, or a program that acts by itself.</summary>
/// <param name="Id">Stable and never used again, such as <c>user:3f2a…</c> or <c>service:91bc…</c>; what the ledger names.</param>
/// <param name="Name">For people; need not be unique.</param>
/// <param name="Groups">What approvals are counted by.</param>
/// <param name="Roles">Without those that an identity provider's groups add.</param>
/// <param name="CreatedAt">Unix milliseconds.</param>
public sealed record Principal(
    string Id, string Name, PrincipalKind Kind, ImmutableArray<string> Groups, ImmutableArray<RoleGrant> Roles, bool Disabled, long CreatedAt)
{
    /// <summary>Most characters of a name, a group, a label: they are shown in tables.</summary>
    public const int LongestName = 100;
}

[JsonConverter(typeof(NamedEnum<PrincipalKind>))]
public enum PrincipalKind
{
    /// <summary>A program: a build, a gateway. It never approves.</summary>
    [JsonStringEnumMemberName("service")] Service,

    [JsonStringEnumMemberName("person")] Person,
}

/// <summary>A role over one model, or over all with <see cref="AllModels"/>.</summary>
public sealed record RoleGrant(Role Role, string Model)
{
    public const string AllModels = "*";

    [JsonIgnore]
    public bool IsValid => Enum.IsDefined(Role) && (Model == AllModels || Spec.IsName(Model));

    public override string ToString() => $"{Role.ToString().ToLowerInvariant()} on {Model}";
}

/// <summary>What somebody may do; what each allows is in <c>docs/guide/access.md</c>. No role holds another's rights but to read.</summary>
/// <remarks>There is no zero: an unset role is none.</remarks>
[JsonConverter(typeof(NamedEnum<Role>))]
public enum Role
{
    [JsonStringEnumMemberName("viewer")] Viewer = 1,
    [JsonStringEnumMemberName("author")] Author,
    [JsonStringEnumMemberName("approver")] Approver,
    [JsonStringEnumMemberName("operator")] Operator,
    [JsonStringEnumMemberName("admin")] Admin,
    [JsonStringEnumMemberName("gateway")] Gateway,
}

/// <param name="Reason">As on every change: for the ledger, not empty.</param>
public sealed record NewPrincipal(string Name, PrincipalKind Kind, ImmutableArray<string> Groups, ImmutableArray<RoleGrant> Roles, string Reason) : IChangeRequest;

/// <summary>Changes a principal; what is null or empty stays.</summary>
/// <param name="Revoke">Taken before <paramref name="Grant"/> is given.</param>
public sealed record PrincipalChange(
    string? Name,
    bool? Disabled,
    ImmutableArray<string> Join,
    ImmutableArray<string> Leave,
    ImmutableArray<RoleGrant> Grant,
    ImmutableArray<RoleGrant> Revoke,
    string Reason) : IChangeRequest;

/// <summary>Who calls, as the server sees it.</summary>
/// <param name="Roles">What this call's token allows: the principal's roles, within the token's scope.</param>
/// <param name="Keys">Ids of the signing keys that are registered as this principal's, revoked ones too.</param>
/// <param name="Expires">When the token ends, Unix milliseconds; null where it ends with the process.</param>
public sealed record Identity(
    string Id, string Name, PrincipalKind Kind, ImmutableArray<string> Groups, ImmutableArray<RoleGrant> Roles, ImmutableArray<string> Keys, long? Expires);
