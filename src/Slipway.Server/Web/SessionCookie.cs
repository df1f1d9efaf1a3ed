using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Slipway.Server.Access;
using Slipway.Server.Api;

namespace Slipway.Server.Web;

/// <summary>A browser's session in a cookie that scripts cannot read, and that no other site's request carries.</summary>
internal static class SessionCookie
{
    /// <summary>Where the browser came by plain HTTP, as on its own machine.</summary>
    public const string Name = "slipway-session";

    /// <summary>By TLS: browsers take a cookie of such a name from this host alone, and by TLS, so no neighbour under the same domain can put one of its own in place.</summary>
    /// <remarks>Source: RFC 6265bis, §4.1.3.2.</remarks>
    public const string HostName = "__Host-" + Name;

    /// <returns>Null where nobody signed in.</returns>
    public static SessionSecret? Of(HttpRequest request) =>
        SessionSecret.Parse(request.Cookies[HostName] ?? (IsTls(request) ? null : request.Cookies[Name]));

    public static void Give(HttpContext http, SessionSecret session) => http.Response.Cookies.Append(IsTls(http.Request) ? HostName : Name, session.Cookie, Options(IsTls(http.Request)));

    /// <summary>Whichever of the two there is.</summary>
    public static void Take(HttpContext http)
    {
        if (http.Request.Cookies.ContainsKey(HostName))
            http.Response.Cookies.Delete(HostName, Options(isTls: true));
        if (http.Request.Cookies.ContainsKey(Name))
            http.Response.Cookies.Delete(Name, Options(isTls: false));
    }

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

    /// <summary>
    /// Whether the browser came by TLS. A proxy that ends TLS speaks plain HTTP to here: it says so with its header, or the browser itself with the
    /// origin of a form of its own. Who says so falsely gets a cookie that their browser throws away.
    /// </summary>
    private static bool IsTls(HttpRequest request) =>
        request.IsHttps || request.Headers["X-Forwarded-Proto"].ToString().Equals("https", StringComparison.OrdinalIgnoreCase)
        || request.Headers[HeaderNames.Origin].ToString().Equals($"https://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);

    /// <summary>Of this host and all its paths, as the prefix asks.</summary>
    private static CookieOptions Options(bool isTls) => new() { HttpOnly = true, SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Strict, Secure = isTls, Path = "/" };

    private static string HostOf(string origin) => origin.IndexOf("://", StringComparison.Ordinal) is var at and >= 0 ? origin[(at + 3)..] : "";
}
