using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Slipway.Store.Registries;

/// <summary>What registries, their token servers and credential helpers answer, and docker's configuration; members that are not named here are other tools' business.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, AllowDuplicateProperties = false, MaxDepth = 16)]
[JsonSerializable(typeof(RegistryErrors))]
[JsonSerializable(typeof(RegistryTags))]
[JsonSerializable(typeof(RegistryToken))]
[JsonSerializable(typeof(DockerConfiguration))]
[JsonSerializable(typeof(HelperAnswer))]
internal sealed partial class RegistryJson : JsonSerializerContext;

/// <summary>Source: distribution-spec, "Error Codes".</summary>
internal sealed record RegistryErrors(ImmutableArray<RegistryError?>? Errors);

internal sealed record RegistryError(string? Code, string? Message);

/// <summary>Source: distribution-spec, "Listing Tags"; some registries write null for none.</summary>
internal sealed record RegistryTags(string? Name, ImmutableArray<string?>? Tags);

/// <summary>Source: docker's token authentication, and OAuth 2.0 (RFC 6749 §5.1).</summary>
internal sealed record RegistryToken(string? Token, [property: JsonPropertyName("access_token")] string? AccessToken);

/// <summary>The part of docker's <c>config.json</c> that is about registries.</summary>
internal sealed record DockerConfiguration(Dictionary<string, DockerLogin?>? Auths, string? CredsStore, Dictionary<string, string?>? CredHelpers);

/// <param name="Auth">Base64 of name, colon and password.</param>
/// <param name="IdentityToken">In place of a password, for a token server.</param>
internal sealed record DockerLogin(string? Auth, string? Username, string? Password, [property: JsonPropertyName("identitytoken")] string? IdentityToken);

/// <summary>Source: docker-credential-helpers, protocol of <c>get</c>.</summary>
internal sealed record HelperAnswer([property: JsonPropertyName("Username")] string? Username, [property: JsonPropertyName("Secret")] string? Secret);
