using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Slipway.Tests.Server.Access;

/// <summary>An identity provider: a real listener that serves discovery and keys, and signs whatever a test wants.</summary>
internal sealed class TestIssuer : IAsyncDisposable
{
    public const string Audience = "slipway-test";

    private readonly WebApplication web;
    private readonly Dictionary<string, AsymmetricAlgorithm> published = [];

    private TestIssuer(WebApplication web) => this.web = web;

    public string Url => web.Urls.First();

    /// <summary>Requests for the keys so far.</summary>
    public int Fetches { get; private set; }

    /// <summary>What discovery says that the issuer is; null for the truth.</summary>
    public string? Claimed { get; set; }

    /// <summary>Answers 500 to everything.</summary>
    public bool Broken { get; set; }

    public static async Task<TestIssuer> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        var issuer = new TestIssuer(builder.Build());
        issuer.web.MapGet("/.well-known/openid-configuration", http => issuer.AnswerAsync(http, issuer.Discovery));
        issuer.web.MapGet("/keys", http => issuer.AnswerAsync(http, issuer.Keys));
        issuer.Publish("first", ECDsa.Create(ECCurve.NamedCurves.nistP256));
        await issuer.web.StartAsync();
        return issuer;
    }

    public void Publish(string id, AsymmetricAlgorithm key) => published[id] = key;

    public void Withdraw(string id) => published.Remove(id);

    /// <summary>The claims of a good token; change them before signing.</summary>
    /// <param name="now">Unix seconds.</param>
    public JsonObject Claims(long now, string subject = "alice") => new()
    {
        ["iss"] = Url,
        ["aud"] = Audience,
        ["sub"] = subject,
        ["name"] = "Alice Example",
        ["iat"] = now,
        ["nbf"] = now,
        ["exp"] = now + 3600,
    };

    /// <summary>Signs with a published key (ES256 or RS256) under its id.</summary>
    public string Sign(JsonObject claims, string key = "first", string? type = "JWT") => Sign(claims, published[key], key, type);

    public static string Sign(JsonObject claims, AsymmetricAlgorithm key, string? keyId, string? type = "JWT")
    {
        var header = new JsonObject { ["alg"] = key is ECDsa ? "ES256" : "RS256" };
        if (keyId is not null)
            header["kid"] = keyId;
        if (type is not null)
            header["typ"] = type;
        return Assemble(header, claims, signed => key is ECDsa ec ? ec.SignData(signed, HashAlgorithmName.SHA256) : ((RSA)key).SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    /// <summary>Puts a token together from parts that need not fit.</summary>
    public static string Assemble(JsonObject header, JsonObject claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Encode(header.ToJsonString())}.{Encode(claims.ToJsonString())}";
        return $"{signed}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    /// <summary>The public key as an attacker has it.</summary>
    public byte[] PublicPem(string key = "first") => Encoding.ASCII.GetBytes(published[key].ExportSubjectPublicKeyInfoPem());

    public ValueTask DisposeAsync() => web.DisposeAsync();

    private Task AnswerAsync(HttpContext http, Func<JsonObject> document)
    {
        if (!Broken)
            return http.Response.WriteAsync(document().ToJsonString());
        http.Response.StatusCode = 500;
        return Task.CompletedTask;
    }

    private JsonObject Discovery() => new() { ["issuer"] = Claimed ?? Url, ["jwks_uri"] = $"{Url}/keys" };

    private JsonObject Keys()
    {
        Fetches++;
        return new JsonObject { ["keys"] = new JsonArray([.. published.Select(key => Jwk(key.Key, key.Value))]) };
    }

    private static JsonObject Jwk(string id, AsymmetricAlgorithm key)
    {
        if (key is ECDsa ec && ec.ExportParameters(false) is var point)
            return new() { ["kty"] = "EC", ["crv"] = "P-256", ["use"] = "sig", ["kid"] = id, ["x"] = Base64Url.EncodeToString(point.Q.X), ["y"] = Base64Url.EncodeToString(point.Q.Y) };
        var rsa = ((RSA)key).ExportParameters(false);
        return new() { ["kty"] = "RSA", ["use"] = "sig", ["kid"] = id, ["n"] = Base64Url.EncodeToString(rsa.Modulus), ["e"] = Base64Url.EncodeToString(rsa.Exponent) };
    }
}
