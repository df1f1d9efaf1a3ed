using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Slipway.Server.Access;
using Slipway.Server.Api;

namespace Slipway.Server.Web;

/// <summary>A browser's session in a cookie that scripts cannot read, and that no other site's request carries.</summary>
internal static class SessionCookie
{
    public const string Name = "slipway-session";

    /// <returns>Null where nobody signed in.</returns>
    public static SessionSecret? Of(HttpRequest request) => SessionSecret.Parse(request.Cookies[Name]);

    public static void Give(HttpContext http, SessionSecret session) => http.Response.Cookies.Append(Name, session.Cookie, Options(http.Request));

    public static void Take(HttpContext http) => http.Response.Cookies.Delete(Name, Options(http.Request));

    /// <summary>
    /// Another site must not sign a browser in as somebody else, or out. Browsers say where a form comes from, to a server without TLS that is
    /// not on their own machine by the Origin header alone; what says neither is no browser, and carries nobody's cookie.
    /// </summary>
    /// <remarks>Source: Fetch Metadata (W3C), and RFC 6454 for the origin, whose scheme a proxy with TLS changes on the way to here.</remarks>
    /// <exception cref="ApiProblem">It comes from another site (403).</exception>
    public static void RequireOwnPage(HttpRequest request)
    {
        var origin = request.Headers[HeaderNames.Origin].ToString();
        var isOwn = request.Headers["Sec-Fetch-Site"].ToString() switch
        {
            "same-origin" or "none" => true,
            "" => origin.Length == 0 || HostOf(origin).Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase),
            _ => false,
        };
        if (!isOwn)
            throw ApiProblem.Forbidden("other-site", "this form is sent from the server's own page alone");
    }

    /// <summary>Secure wherever the browser came by TLS: it says so itself, since the proxy that ends TLS speaks plain HTTP to here.</summary>
    private static CookieOptions Options(HttpRequest request) => new()
    {
        HttpOnly = true,
        SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Strict,
        Secure = request.IsHttps || request.Headers[HeaderNames.Origin].ToString().StartsWith("https://", StringComparison.OrdinalIgnoreCase),
        Path = "/",
    };

    private static string HostOf(string origin) => origin.IndexOf("://", StringComparison.Ordinal) is var at and >= 0 ? origin[(at + 3)..] : "";
}
