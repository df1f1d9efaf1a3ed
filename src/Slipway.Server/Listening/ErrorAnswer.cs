using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Registry;
using Slipway.Primitives.Faults;

namespace Slipway.Server.Listening;

/// <summary>How the server says no.</summary>
internal static class ErrorAnswer
{
    /// <summary>Headers of every answer, which a handler may replace by its own: nothing here is to be framed, sniffed, cached or run.</summary>
    public static void Guard(HttpResponse response)
    {
        var headers = response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        // Not no-referrer: with that a browser names no origin with a form either, and a page could not tell its own. Source: Fetch, "append a request Origin header".
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }

    public static int StatusOf(ExitCode exit) => exit switch
    {
        ExitCode.UnusableInput => StatusCodes.Status400BadRequest,
        ExitCode.BadVerdict => StatusCodes.Status422UnprocessableEntity,
        ExitCode.NotThere => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    /// <summary>Takes back what was prepared as an answer; one that is half answered is cut off instead, so that nobody takes it for whole.</summary>
    /// <returns>Whether there is still something to answer.</returns>
    public static bool TryClear(HttpContext http)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return false;
        }

        var (allow, retry) = (http.Response.Headers.Allow, http.Response.Headers.RetryAfter);
        http.Response.Clear();
        Guard(http.Response);
        (http.Response.Headers.Allow, http.Response.Headers.RetryAfter) = (allow, retry);
        return true;
    }

    /// <summary>Answers with the faults, where <see cref="TryClear"/> left something to answer.</summary>
    public static async Task WriteAsync(HttpContext http, int status, params Fault[] faults)
    {
        if (status == StatusCodes.Status401Unauthorized)
            http.Response.Headers.WWWAuthenticate = "Bearer";
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        var bytes = JsonSerializer.SerializeToUtf8Bytes(new ErrorDocument([.. faults]), RegistryJson.Default.ErrorDocument);
        http.Response.ContentLength = bytes.Length;
        try
        {
            await http.Response.Body.WriteAsync(bytes, http.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            // Nobody is there to be answered.
        }
    }
}
