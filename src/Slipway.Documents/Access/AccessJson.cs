using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Documents.Access;

/// <summary>As <see cref="DocumentJson"/>, for who may do what.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Identity))]
[JsonSerializable(typeof(Principal))]
[JsonSerializable(typeof(ImmutableArray<Principal>))]
[JsonSerializable(typeof(NewPrincipal))]
[JsonSerializable(typeof(PrincipalChange))]
[JsonSerializable(typeof(ApiToken))]
[JsonSerializable(typeof(ImmutableArray<ApiToken>))]
[JsonSerializable(typeof(NewToken))]
[JsonSerializable(typeof(IssuedToken))]
[JsonSerializable(typeof(RevokeToken))]
[JsonSerializable(typeof(RevokedTokens))]
[JsonSerializable(typeof(ReasonOnly))]
[JsonSerializable(typeof(ImmutableArray<RoleGrant>))]
[JsonSerializable(typeof(ImmutableArray<string>))]
[JsonSerializable(typeof(TrustedKey))]
[JsonSerializable(typeof(ImmutableArray<TrustedKey>))]
[JsonSerializable(typeof(NewTrustedKey))]
public sealed partial class AccessJson : JsonSerializerContext;
