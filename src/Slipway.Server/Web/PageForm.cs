using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;

namespace Slipway.Server.Web;

/// <summary>What a browser sends with a form of a page.</summary>
internal static class PageForm
{
    /// <summary>Bytes of a form: a token or a long note, and room for what a browser sends beside it.</summary>
    public const int Largest = 64 * 1024;

    /// <exception cref="ApiProblem">Not a page's form (415), or a broken one (400).</exception>
    public static async Task<ImmutableDictionary<string, string>> ReadAsync(ApiCall call)
    {
        var request = call.Http.Request;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || type.MediaType != "application/x-www-form-urlencoded")
            throw new ApiProblem(StatusCodes.Status415UnsupportedMediaType, new Fault("bad-form", "this takes the form of a page"));
        try
        {
            var form = await request.ReadFormAsync(call.Cancellation);
            return form.ToImmutableDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.Ordinal);
        }
        catch (InvalidDataException e)
        {
            throw ApiProblem.Malformed("bad-form", $"the form cannot be read: {e.Message}");
        }
    }

    /// <summary>A path of this server to go on to; its first page for whatever is none.</summary>
    /// <remarks>Two slashes, or one and a backslash, are another server's to a browser. Source: WHATWG URL.</remarks>
    public static string OwnPath(string? path) =>
        path is ['/', ..] and not ['/', '/' or '\\', ..] && path.Length <= 2_000 && !path.Any(char.IsControl) && !path.StartsWith("/sign-", StringComparison.Ordinal) ? path : "/";
}
