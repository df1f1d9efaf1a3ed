using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Slipway.Primitives.Faults;
using Slipway.Store.Archives;

namespace Slipway.Store.Registries;

/// <summary>A registry's refusals as faults of ours.</summary>
internal static class RegistryFault
{
    /// <summary>Most bytes of an error's body that are read; what follows is not looked at.</summary>
    public const int MaxBody = 64 * 1024;

    /// <summary>What a registry refused, with its own words.</summary>
    public static async Task<SlipwayException> OfAsync(HttpResponseMessage response, string place, TimeSpan silence, CancellationToken cancellation)
    {
        var status = response.StatusCode;
        var said = Words(await BoundedBody.ReadSomeAsync(response, MaxBody, silence, cancellation));
        var asked = $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.AbsolutePath}";
        var message = string.Create(CultureInfo.InvariantCulture, $"{place} answered {(int)status} to {asked}{(said is null ? "" : ": " + said)}");
        var host = response.RequestMessage?.RequestUri?.Authority;
        var again = When(response.Headers.RetryAfter) ?? "later";
        return status switch
        {
            HttpStatusCode.Unauthorized => new(ExitCode.NotThere, new Fault(
                "registry-unauthorized", message, Help: $"log in with `docker login {host}`, or say --username NAME --password-stdin")),
            HttpStatusCode.Forbidden => new(ExitCode.NotThere, new Fault(
                "registry-denied", message,
                Help: "this account may not do that in this repository: ask the registry's owner, or use another account")),
            HttpStatusCode.NotFound => new(ExitCode.UnusableInput, new Fault("registry-not-found", message, Help: "`slipway tags` lists what a repository has")),
            HttpStatusCode.TooManyRequests => new(ExitCode.NotThere, new Fault("registry-busy", message, Help: $"it wants fewer requests: try again {again}; what was sent is kept")),
            HttpStatusCode.RequestEntityTooLarge => new(ExitCode.NotThere, new Fault(
                "registry-too-large", message, Help: "the registry, or a proxy before it, takes no content of this size")),
            >= HttpStatusCode.InternalServerError => new(ExitCode.NotThere, new Fault(
                "registry-failing", message, Help: $"try again {again}; what was sent is kept, and is not sent again")),
            _ => new(ExitCode.NotThere, new Fault("registry-refused", message, Help: "is it a registry of the OCI distribution specification?")),
        };
    }

    /// <summary>When the registry wants to be asked again, as the end of a sentence; null where it does not say. Source: RFC 9110, 10.2.3.</summary>
    private static string? When(RetryConditionHeaderValue? after) => after switch
    {
        { Delta: { } delta } => string.Create(CultureInfo.InvariantCulture, $"in {delta.TotalSeconds:0} s, as it says"),
        { Date: { } date } => string.Create(CultureInfo.InvariantCulture, $"after {date.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}, as it says"),
        _ => null,
    };

    public static SlipwayException Unreachable(string place, Exception cause) =>
        new(ExitCode.NotThere, new Fault(
            "registry-unreachable", $"{place} does not answer: {Reason(cause)}",
            Help: "is the address right, and is the network there? the same command goes on from what was done"), cause);

    /// <summary>An answer that breaks the specification, or may be an attack.</summary>
    public static SlipwayException Strange(string place, string how) =>
        new(ExitCode.NotThere, new Fault(
            "registry-strange", $"{place} {how}",
            Help: "is it a registry of the OCI distribution specification, or something in between that answers in its place?"));

    /// <summary>Content that is something else than its digest says: nothing of it is kept.</summary>
    public static SlipwayException Wrong(string message) =>
        new(ExitCode.BadVerdict, new Fault("content-wrong", message, Help: "nothing of it was kept; if it happens again, the registry is damaged or its content was replaced"));

    private static string Reason(Exception cause)
    {
        for (var at = cause; ; at = at.InnerException!)
        {
            if (at is TimeoutException || at.InnerException is null)
                return at.Message.TrimEnd('.');
        }
    }

    private static string? Words(byte[] body)
    {
        try
        {
            var errors = JsonSerializer.Deserialize(body, RegistryJson.Default.RegistryErrors)?.Errors ?? [];
            var text = string.Join("; ", errors.OfType<RegistryError>().Take(3).Select(error => $"{error.Code} {error.Message}".Trim()).Where(text => text.Length > 0));
            return text.Length == 0 ? null : ForeignText.Shown(text);
        }
        catch (JsonException)
        {
            return null;        // a proxy's page, or a cut answer
        }
    }
}
